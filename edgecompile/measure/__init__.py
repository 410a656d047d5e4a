"""Time and instructions; every result carries how it was obtained."""
