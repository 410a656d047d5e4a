"""edgecompile: the compiler that takes a trained Keras model to a small device."""

__version__ = "0.1.0"
