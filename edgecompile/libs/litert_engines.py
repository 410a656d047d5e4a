"""The interpreters behind one face; imported in child processes only.

Each engine holds one model: ``set`` and ``get`` take tensors by their position among the
inputs and outputs, ``reset`` forgets state that variables carry from one sample to the next.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from edgecompile.core.errors import rejected
from edgecompile.libs.affine import Port
from edgecompile.libs.libraries import require

Array = np.ndarray[Any, Any]
_MODULES = {"tflite-runtime": "tflite_runtime.interpreter", "ai-edge-litert": "ai_edge_litert.interpreter"}
_RESOLVERS = {"default": "AUTO", "reference": "BUILTIN_REF"}
_MICRO_RESOLVER = "reference kernels"
_FIRST_ARENA_BYTES = 64 * 1024
_MAX_ARENA_BYTES = 512 * 1024 * 1024
# What TensorFlow Lite Micro prints when the arena, and not the model, is the matter.
_ARENA_WORDS = ("missing:", "Failed to allocate", "Failed to resize", "too small", "bytes required")


class Engine(Protocol):
    """A loaded model."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    resolver: str

    def set(self, index: int, value: Array) -> None:
        """Give an input."""

    def invoke(self) -> None:
        """Run once."""

    def get(self, index: int) -> Array:
        """A copy of an output."""

    def reset(self) -> None:
        """Forget what variables hold."""

    def resize(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Take inputs of these shapes, where the model leaves sizes open."""


def load(model: bytes, runtime: str, resolver: str, name: str, threads: int = 1) -> Engine:
    """The engine of that name with the model in it. Raises EC702, EC706 (tflite-micro), EC190."""
    if runtime == "tflite-micro":
        return MicroEngine(model, name)
    return LiteEngine(model, runtime, resolver, name, threads)


class LiteEngine:
    """tflite-runtime, LiteRT or TensorFlow's interpreter: one interface."""

    def __init__(self, model: bytes, runtime: str, resolver: str, name: str, threads: int) -> None:
        self.resolver = f"resolver {_RESOLVERS[resolver]}"
        interpreter, kinds = interpreter_of(runtime)
        kind = getattr(kinds, _RESOLVERS[resolver])
        try:
            self._interpreter = interpreter(
                model_content=model, experimental_op_resolver_type=kind, num_threads=threads
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise refusal(runtime, name, str(error)) from error
        self._read_details()

    def _read_details(self) -> None:
        self._in, self._out = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.inputs = tuple(_port(details) for details in self._in)
        self.outputs = tuple(_port(details) for details in self._out)

    def set(self, index: int, value: Array) -> None:
        """Give an input."""
        self._interpreter.set_tensor(self._in[index]["index"], value)

    def invoke(self) -> None:
        """Run once."""
        self._interpreter.invoke()

    def get(self, index: int) -> Array:
        """A copy of an output."""
        return np.array(self._interpreter.get_tensor(self._out[index]["index"]))

    def reset(self) -> None:
        """Forget what variables hold."""
        self._interpreter.reset_all_variables()

    def resize(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Take inputs of these shapes."""
        for details, shape in zip(self._in, shapes, strict=True):
            self._interpreter.resize_tensor_input(details["index"], shape)
        self._interpreter.allocate_tensors()
        self._read_details()


class MicroEngine:
    """TensorFlow Lite Micro's reference kernels on this machine; the arena grows until the model fits."""

    def __init__(self, model: bytes, name: str) -> None:
        micro = require("tflite_micro", "to judge Cortex-M builds", "tflite-micro").runtime
        self.resolver = _MICRO_RESOLVER
        main = _parsed(model, micro, name)
        arena = _FIRST_ARENA_BYTES
        while True:
            try:
                with _Heard() as heard:
                    self._interpreter = micro.Interpreter.from_bytes(model, arena_size=arena)
                break
            except (RuntimeError, ValueError) as error:
                if not any(word in heard.text for word in _ARENA_WORDS):
                    raise refusal("tflite-micro", name, heard.text or str(error)) from error
            arena *= 2
            if arena > _MAX_ARENA_BYTES:
                raise _too_large(name, heard.text)
        self.inputs = tuple(self._port(main, i, t, "input") for i, t in enumerate(main.inputs))
        self.outputs = tuple(self._port(main, i, t, "output") for i, t in enumerate(main.outputs))

    def _port(self, main: Any, index: int, tensor: int, kind: str) -> Port:
        details = getattr(self._interpreter, f"get_{kind}_details")(index)
        raw = main.tensors[tensor].name or b""
        return _port({**details, "name": raw.decode(errors="replace")})

    def set(self, index: int, value: Array) -> None:
        """Give an input."""
        self._interpreter.set_input(value, index)

    def invoke(self) -> None:
        """Run once."""
        self._interpreter.invoke()

    def get(self, index: int) -> Array:
        """A copy of an output."""
        return np.array(self._interpreter.get_output(index))

    def reset(self) -> None:
        """Forget what variables hold."""
        self._interpreter.reset()

    def resize(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Refuse: raises ValueError."""
        raise ValueError("TensorFlow Lite Micro needs every size to be fixed in the model")


def refusal(runtime: str, name: str, reason: str) -> Exception:
    """EC702; to be raised by the caller."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return rejected(
        "EC702",
        f"{runtime} does not take this model",
        name,
        notes=lines[:4] or ["it gave no reason"],
        help=(
            "an operator it lacks, or one in a version newer than the interpreter, has to be replaced in the model",
            "`edgecompile inspect` lists operators and their versions",
        ),
    )


def interpreter_of(runtime: str) -> tuple[Any, Any]:
    """The Interpreter class, and the enumeration of resolvers."""
    if runtime == "tensorflow":
        lite = require("tensorflow", "to run the artifact here", "tensorflow").lite
        return lite.Interpreter, lite.experimental.OpResolverType
    module = require(_MODULES[runtime], "to run the artifact here", runtime)
    return module.Interpreter, module.OpResolverType


def _port(details: Mapping[str, Any]) -> Port:
    parameters = details["quantization_parameters"]
    scales, zero_points = parameters["scales"], parameters["zero_points"]
    per_tensor = len(scales) == 1
    return Port(
        name=details["name"],
        shape=tuple(int(size) for size in details["shape"]),
        dtype=np.dtype(details["dtype"]).name,
        scale=float(scales[0]) if per_tensor else 0.0,
        zero_point=int(zero_points[0]) if per_tensor and len(zero_points) else 0,
        signature=tuple(int(size) for size in details.get("shape_signature", details["shape"])),
    )


def _parsed(model: bytes, micro: Any, name: str) -> Any:
    """The main subgraph by the package's own schema; its reader raises whatever a damaged file leads it to."""
    try:
        return micro.convert_bytearray_to_object(model).subgraphs[0]
    except Exception as error:
        raise refusal("tflite-micro", name, f"the file cannot be parsed: {error}") from error


def _too_large(name: str, words: str) -> Exception:
    return rejected(
        "EC706",
        "TensorFlow Lite Micro needs a larger arena than can be tried here",
        name,
        notes=(f"limit: {_MAX_ARENA_BYTES // 1024**2} MiB", *words.strip().splitlines()[-1:]),
        help=("such a model is far beyond a microcontroller: make its inputs or layers smaller",),
    )


class _Heard:
    """Collects what native code writes to stderr, the only place where TensorFlow Lite Micro gives reasons."""

    def __init__(self) -> None:
        self.text = ""

    def __enter__(self) -> _Heard:
        sys.stderr.flush()
        self._kept, self._file = os.dup(2), tempfile.TemporaryFile()
        os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *raised: object) -> None:
        os.dup2(self._kept, 2)
        os.close(self._kept)
        with self._file as file:
            file.seek(0)
            self.text = file.read().decode(errors="replace")
