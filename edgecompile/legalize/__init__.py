"""Network x Target: which operators run where, and why not."""
