"""A Report as text and JSON."""
