"""Open a model and its data."""
