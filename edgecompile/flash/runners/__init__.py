"""One flash tool a file. A module has

- ``NAME`` and ``PROGRAM``, the program it needs;
- ``NEEDS``, the key of the profile's ``[board]`` without which it does not know the chip;
- ``READS_RESULT``: whether it can run the self-test and read what that says; ``VERIFIES``: whether it can compare what
  was written;
- ``commands(task)``: the programs to run, in order;
- ``LIST`` and ``probes(text)``: how probes are listed, and their names in what is printed; ``LIST`` empty: it cannot;
- ``NO_PROBE``, ``WRONG_CHIP``, ``DIFFERS``: regular expressions over what it prints, for the causes people meet.
"""
