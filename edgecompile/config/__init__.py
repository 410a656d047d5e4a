"""TOML to core types; says what is wrong with a file and suggests the near key."""
