"""Compression passes, one file each: a frozen dataclass whose fields are the keys of the recipe's step."""
