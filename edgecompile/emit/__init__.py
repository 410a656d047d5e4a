"""Files for the device."""
