"""Devices' own compilers: programs that make the emitted model into what the device runs, where they are found."""
