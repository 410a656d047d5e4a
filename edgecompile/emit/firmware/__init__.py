"""The firmware project: C files that are the same for every model, and what is written for each board."""
