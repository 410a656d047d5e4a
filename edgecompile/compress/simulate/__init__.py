"""A network as a differentiable function: floats as they are, integers as fake quantization."""
