"""The runtime door: which interpreters can run a ``.tflite`` here, and running one, in processes of its own.

TensorFlow Lite's kernels come in three packages (tflite-runtime, its successor LiteRT, and TensorFlow
itself), TensorFlow Lite Micro's reference kernels in a fourth. They do not give equal answers, so
every answer carries the name of what gave it.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.progress import Progress, Silent
from edgecompile.libs import child
from edgecompile.libs.affine import Port, dequantize
from edgecompile.libs.arrays import save_array
from edgecompile.libs.libraries import missing_library

Array = np.ndarray[Any, Any]
RESOLVERS = ("default", "reference")
MICRO = "tflite-micro"

# In the order in which they are taken for the judge "tflite".
_TFLITE = ("tflite-runtime", "ai-edge-litert", "tensorflow")
_INSTALL: Mapping[str, str] = {
    "tflite-runtime": "pip install tflite-runtime (Linux, Python 3.11 or older)",
    "ai-edge-litert": "pip install ai-edge-litert",
    "tensorflow": "pip install tensorflow",
    MICRO: "pip install --pre tflite-micro (Linux on x86_64, Python 3.10 or 3.11)",
}
_PIP: Mapping[str, str] = {"tflite": "ai-edge-litert", MICRO: "tflite-micro"}
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
_SAMPLES_WORTH_A_WORKER = 32


@dataclass(frozen=True, kw_only=True)
class RuntimeInfo:
    """An interpreter: the distribution's name, its version ("" when absent), and why it cannot be used."""

    name: str
    version: str
    available: bool
    why_not: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, kw_only=True, eq=False)
class Outputs:
    """What a model gave: ``arrays`` raw, samples first, in the tensors' own dtypes.

    ``described`` names interpreter, version and resolver (``tflite-runtime 2.14.0, resolver BUILTIN_REF``).
    """

    arrays: tuple[Array, ...]
    outputs: tuple[Port, ...]
    inputs: tuple[Port, ...]
    described: str
    samples: int

    def real(self) -> tuple[Array, ...]:
        """The outputs as float32 real values: ``scale * (q - zero_point)`` where they are quantized."""
        return tuple(dequantize(array, port) for array, port in zip(self.arrays, self.outputs, strict=True))


def runtimes() -> tuple[RuntimeInfo, ...]:
    """All known interpreters, usable or not; nothing heavy is imported."""
    return tuple(_look_for(name) for name in (*_TFLITE, MICRO))


def candidates(judge: str) -> tuple[RuntimeInfo, ...]:
    """Interpreters for ``judge`` (``tflite``, ``tflite-micro`` or one by its own name), usable ones first."""
    names = _TFLITE if judge == "tflite" else (judge,)
    found = [_look_for(name) for name in names]
    return tuple(sorted(found, key=lambda runtime: not runtime.available))


def choose(judge: str) -> RuntimeInfo:
    """The interpreter for ``judge``; not ``available`` when there is none, and then it says why."""
    return candidates(judge)[0]


def how_to_install(judge: str) -> str:
    """The command that gets an interpreter for ``judge``."""
    return _INSTALL.get("ai-edge-litert" if judge == "tflite" else judge, f"pip install {judge}")


def missing_interpreter(judge: str) -> EdgecompileError:
    """EC190: no interpreter for ``judge``; to be raised by the caller."""
    runtime = choose(judge)
    return missing_library(runtime.name, "to run the artifact here", _PIP.get(judge, judge), runtime.why_not)


def invoke(
    model: bytes,
    inputs: Sequence[Array],
    *,
    runtime: RuntimeInfo,
    resolver: str = "default",
    real: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    name: str = "the model",
    timeout_s: float | None = None,
) -> Outputs:
    """Run ``model`` on samples in child processes, each sample from a fresh state.

    ``inputs``: one array per model input, samples on the first axis, each ``[n, *shape]`` or
    ``[n, *shape[1:]]``. Floats given to a quantized input are quantized as TFLite's QUANTIZE
    does: ``round(x / scale) + zero_point`` in float32, halves away from zero, clipped. Arrays
    in the tensor's own dtype are taken as they are, unless ``real`` says that they too hold
    real values. ``resolver`` ``reference`` takes TFLite's plain kernels (tflite-micro has no
    other). ``workers``: processes, by default one per core where there is enough to do.

    Raises RejectedError EC702 when the interpreter does not take the model, EC703 when running
    fails, EC704 when the interpreter dies, EC706 when no arena is large enough; BadInputError
    EC701 when inputs do not fit the model, EC705 when their values cannot be fed; MissingError EC190.
    """
    if not runtime.available:
        raise missing_library(runtime.name, "to run the artifact here", runtime.name, runtime.why_not)
    count = len(inputs[0]) if inputs and np.ndim(inputs[0]) else 0
    if workers is None:
        workers = min(os.cpu_count() or 1, -(-count // _SAMPLES_WORTH_A_WORKER))
    arguments = {"count": len(inputs), "resolver": resolver, "real": real, "workers": max(1, workers)}
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as folder:
        for index, array in enumerate(inputs):
            save_array(Path(folder) / f"input_{index}.npy", np.asarray(array))
        answer = _ask("run", model, folder, runtime, name, arguments, progress, timeout_s)
        arrays = tuple(np.load(Path(folder) / f"output_{index}.npy") for index in range(len(answer["outputs"])))
    return Outputs(
        arrays=arrays,
        outputs=tuple(Port.from_dict(plain) for plain in answer["outputs"]),
        inputs=tuple(Port.from_dict(plain) for plain in answer["inputs"]),
        described=f"{runtime}, {answer['resolver']}",
        samples=count,
    )


def ports(model: bytes, *, runtime: RuntimeInfo, name: str = "the model") -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Inputs and outputs as the interpreter sees them. Raises EC702, EC704, EC706."""
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as folder:
        answer = _ask("describe", model, folder, runtime, name, {}, None, None)
    inputs, outputs = ([Port.from_dict(plain) for plain in answer[key]] for key in ("inputs", "outputs"))
    return tuple(inputs), tuple(outputs)


def time_model(
    model: bytes,
    *,
    runtime: RuntimeInfo,
    runs: int,
    warm_up: int,
    threads: int,
    resolver: str = "default",
    name: str = "the model",
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Durations of single invocations on seeded inputs: ``warm_up_s``, ``runs_s`` (lists, seconds), ``resolver``."""
    arguments = {"runs": runs, "warm_up": warm_up, "threads": threads, "resolver": resolver, "seed": seed}
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as folder:
        answer: dict[str, Any] = _ask("measure", model, folder, runtime, name, arguments, progress, None)
    return answer


def _ask(
    function: str,
    model: bytes,
    folder: str,
    runtime: RuntimeInfo,
    name: str,
    arguments: dict[str, Any],
    progress: Progress | None,
    timeout_s: float | None,
) -> Any:
    (Path(folder) / "model.tflite").write_bytes(model)
    crash = child.Crash(
        code="EC704",
        message=f"{runtime} died on this model",
        location=Location(file=name),
        help=(
            "the file may be damaged: convert the model anew",
            "another interpreter may take it: `edgecompile doctor` lists them",
        ),
    )
    given = {"folder": folder, "runtime": runtime.name, "version": runtime.version, "name": name, **arguments}
    return child.call(
        f"edgecompile.libs.litert_child:{function}",
        given,
        progress=progress or Silent(),
        environment=_QUIET,
        timeout_s=timeout_s,
        crash=crash,
    )


def _look_for(name: str) -> RuntimeInfo:
    try:
        return RuntimeInfo(name=name, version=importlib.metadata.version(name), available=True)
    except importlib.metadata.PackageNotFoundError:
        why = f"{name} is not installed: {_INSTALL.get(name, f'pip install {name}')}"
        return RuntimeInfo(name=name, version="", available=False, why_not=why)
