"""Firmware built for a board, run on an emulated one, and measured: instructions, flash, RAM, stack."""
