"""One compiler a file: ``NAME``, and ``compile(request, folder) -> Compiled`` in a folder that goes away after it."""
