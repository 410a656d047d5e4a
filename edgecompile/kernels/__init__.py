"""C kernels: real headers (``NAME.h``) with a Python twin each (``NAME.py``), found by their files."""
