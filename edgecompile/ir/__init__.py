"""Network: a small typed picture of a TFLite model."""
