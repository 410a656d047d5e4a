"""Vocabulary of the compiler: frozen dataclasses, standard library only."""
