"""Runs two forms of a model in one interpreter, in a process of its own, and says where their outputs differ."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

from edgecompile.libs.litert import RuntimeInfo, choose

TFLITE, MICRO = choose("tflite"), choose("tflite-micro")


class Judge:
    """One worker process for all comparisons, started again after a crash."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def compare(self, before: bytes, after: bytes, runtime: RuntimeInfo, samples: int = 3) -> str:
        """``equal``, ``not run: ...`` when the model before cannot run here, ``different: ...`` otherwise."""
        if not runtime.available:
            return f"not run: {runtime.why_not}"
        first = self._ask(before, runtime.name, samples)
        if isinstance(first, str):
            return f"not run: {first}"
        second = self._ask(after, runtime.name, samples)
        if isinstance(second, str):
            return f"different: {second}"
        return _difference(first, second)

    def close(self) -> None:
        """End the worker."""
        if self._pool is not None:
            self._pool.shutdown()

    def _ask(self, model: bytes, runtime: str, samples: int) -> Any:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        try:
            return self._pool.submit(outputs_of, model, runtime, samples).result(timeout=300)
        except BrokenProcessPool:
            self._pool = None
            return "the interpreter died"


def outputs_of(model: bytes, runtime: str, samples: int) -> Any:
    """Outputs of every sample on seeded random inputs, or why there are none; runs in the worker."""
    from edgecompile.core.errors import EdgecompileError
    from edgecompile.libs.litert_engines import load

    try:
        engine = load(model, runtime, "reference", "model.tflite")
        draw, collected = np.random.default_rng(0), []
        for _ in range(samples):
            for index, port in enumerate(engine.inputs):
                engine.set(index, _random(draw, port.shape, port.dtype))
            engine.invoke()
            collected.append([engine.get(index) for index in range(len(engine.outputs))])
    except (EdgecompileError, RuntimeError, ValueError, TypeError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    names = [(port.name, port.shape, port.dtype, port.scale, port.zero_point) for port in engine.outputs]
    return [names, collected]


def _random(draw: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    kind = np.dtype(dtype)
    if kind.kind in "iu" and kind.itemsize <= 2:
        limits = np.iinfo(kind)
        return draw.integers(limits.min, limits.max + 1, shape).astype(kind)
    if kind.kind == "b":
        return draw.integers(0, 2, shape).astype(kind)
    if kind.kind in "iu":
        return draw.integers(0, 8, shape).astype(kind)
    return draw.normal(0, 3, shape).astype(kind)


def _difference(before: Any, after: Any) -> str:
    if before[0] != after[0]:
        return f"different: outputs {before[0]} became {after[0]}"
    for sample, (old, new) in enumerate(zip(before[1], after[1], strict=True)):
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            if a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
                return f"different: output {index} of sample {sample}"
    return "equal"
