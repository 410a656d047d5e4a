"""Models of devices, one a file: a profile's ``[measure] model`` names the file."""
