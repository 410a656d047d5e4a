"""Run what was emitted and compare it with what it came from."""
