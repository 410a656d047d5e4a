"""Keras model to flatbuffer, in a numeric scheme."""
