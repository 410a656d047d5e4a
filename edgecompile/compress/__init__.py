"""Make a network smaller, and train it in the very numbers that the device runs; passes are files of ``passes/``."""
