"""What TFLite's operators compute, in TensorFlow so that gradients flow; one family a file, found by scanning."""
