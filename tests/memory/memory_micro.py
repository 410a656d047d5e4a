"""Asks the real TensorFlow Lite Micro what it lays out and computes, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np

_ARENA_BYTES = 8 * 1024**2


class Micro:
    """A worker that survives models which the interpreter does not."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def lay_out(self, model: bytes) -> tuple[int, bytes] | None:
        """Bytes of the planned part of the arena, and the outputs on a seeded input; None: it does not take it."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        try:
            return self._pool.submit(lay_out, model).result(timeout=300)
        except BrokenProcessPool:
            self._pool = None
            return None

    def close(self) -> None:
        """End the worker."""
        if self._pool is not None:
            self._pool.shutdown()


def lay_out(model: bytes) -> tuple[int, bytes] | None:
    """See :meth:`Micro.lay_out`; runs in the worker. The interpreter tells its allocations on stderr only."""
    from tflite_micro import runtime

    from edgecompile.ir.reader import read

    try:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_BYTES)
        main = read(model).main
        draw = np.random.default_rng(0)
        for number, index in enumerate(main.inputs):
            tensor = main.tensors[index]
            interpreter.set_input(draw.integers(0, 100, tensor.shape).astype(tensor.dtype), number)
        interpreter.invoke()
        outputs = b"".join(interpreter.get_output(i).tobytes() for i in range(len(main.outputs)))
    except (RuntimeError, ValueError, TypeError):
        return None
    head = re.search(r"Arena allocation head (\d+) bytes", _heard(interpreter.print_allocations))
    return (int(head.group(1)), outputs) if head else None


def _heard(speak: object) -> str:
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            speak()  # type: ignore[operator]
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        return file.read().decode(errors="replace")
