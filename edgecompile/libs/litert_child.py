"""The child's half of ``libs/litert.py``: load a model, feed it, keep what it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.errors import rejected
from edgecompile.core.progress import Progress
from edgecompile.libs import fork
from edgecompile.libs.affine import Port
from edgecompile.libs.arrays import save_array
from edgecompile.libs.litert_engines import Engine, load
from edgecompile.libs.litert_feed import arrange, count_samples, sample_inputs

Array = np.ndarray[Any, Any]
_TELL_EVERY_S = 0.2


def run(
    folder: str,
    runtime: str,
    version: str,
    name: str,
    count: int,
    resolver: str,
    real: bool,
    workers: int,
    progress: Progress,
) -> dict[str, Any]:
    """Run ``model.tflite`` of ``folder`` on ``input_<i>.npy``; writes ``output_<i>.npy``, samples first."""
    place = Path(folder)
    given = [np.load(place / f"input_{index}.npy", mmap_mode="r") for index in range(count)]
    samples = count_samples(given, name)
    workers = max(1, min(workers, samples))

    def part(worker: int, tell: Callable[[int], None]) -> dict[str, Any]:
        engine = load((place / "model.tflite").read_bytes(), runtime, resolver, name)
        first, last = samples * worker // workers, samples * (worker + 1) // workers
        outputs = _feed(
            engine, [array[first:last] if array.ndim else array for array in given], real, name, first, tell
        )
        for index, array in enumerate(outputs):
            save_array(place / f"part_{worker}_{index}.npy", array)
        return {**_described(engine), "resolver": engine.resolver}

    def tell(done: int) -> None:
        progress.update(done, samples, "samples")

    answers = fork.spread(part, workers, tell)
    for index in range(len(answers[0]["outputs"])):
        parts = [np.load(place / f"part_{worker}_{index}.npy") for worker in range(workers)]
        save_array(place / f"output_{index}.npy", np.concatenate(parts))
    return dict(answers[0])


def describe(folder: str, runtime: str, version: str, name: str) -> dict[str, Any]:
    """Inputs and outputs of ``model.tflite``."""
    return _described(load((Path(folder) / "model.tflite").read_bytes(), runtime, "default", name))


def measure(
    folder: str,
    runtime: str,
    version: str,
    name: str,
    runs: int,
    warm_up: int,
    threads: int,
    resolver: str,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Time ``warm_up`` and then ``runs`` invocations on one seeded sample."""
    engine = load((Path(folder) / "model.tflite").read_bytes(), runtime, resolver, name, threads)
    for index, value in enumerate(sample_inputs(engine.inputs, seed)):
        engine.set(index, value)
    durations = []
    told = time.monotonic()
    for done in range(warm_up + runs):
        started = time.perf_counter()
        _invoke(engine, name, 0)
        durations.append(time.perf_counter() - started)
        if time.monotonic() - told > _TELL_EVERY_S:
            progress.update(done + 1, warm_up + runs, "runs")
            told = time.monotonic()
    return {"warm_up_s": durations[:warm_up], "runs_s": durations[warm_up:], "resolver": engine.resolver}


def _described(engine: Engine) -> dict[str, Any]:
    def plain(ports: tuple[Port, ...]) -> list[dict[str, Any]]:
        return [port.to_dict() for port in ports]

    return {"inputs": plain(engine.inputs), "outputs": plain(engine.outputs)}


def _feed(
    engine: Engine, given: Sequence[Array], real: bool, name: str, offset: int, tell: Callable[[int], None]
) -> list[Array]:
    """The outputs of one process's samples; each starts from a fresh state."""
    batch = arrange(given, engine, real, name, offset)
    samples = len(given[0])
    collected: list[list[Array]] = [[] for _ in engine.outputs]
    for first in range(0, samples, batch.size):
        rows = min(batch.size, samples - first)
        engine.reset()
        for index, array in enumerate(given):
            engine.set(index, batch.take(array, first, engine.inputs[index], real))
        _invoke(engine, name, offset + first)
        for index in range(len(engine.outputs)):
            collected[index].append(batch.rows(engine.get(index), rows))
        tell(rows)
    return [_joined(rows, port) for rows, port in zip(collected, engine.outputs, strict=True)]


def _joined(rows: list[Array], port: Port) -> Array:
    return np.concatenate(rows) if rows else np.zeros((0, *port.shape[1:]), dtype=port.dtype)


def _invoke(engine: Engine, name: str, sample: int) -> None:
    try:
        engine.invoke()
    except (RuntimeError, ValueError) as error:
        raise rejected(
            "EC703",
            "the model failed while it ran",
            name,
            notes=(f"sample {sample}", *str(error).strip().splitlines()[:4]),
            help=("run the model in Python with the same input; `edgecompile inspect` shows the operator named",),
        ) from error
