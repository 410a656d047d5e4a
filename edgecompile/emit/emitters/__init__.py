"""One emitter a file: ``NAME``, and ``emit(emission, folder) -> artifacts``."""
