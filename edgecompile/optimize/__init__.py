"""Network passes that keep outputs bit for bit, one file each."""
