"""The command line; only this package prints, reads the environment or exits."""
