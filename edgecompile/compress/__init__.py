"""Keras passes, one file each."""
