"""Given samples against a model's inputs: do they fit, and what is fed for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import counted
from edgecompile.libs.affine import Port, quantize
from edgecompile.libs.litert_engines import Engine

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """How samples go into tensors: ``size`` of them at once; ``whole``: a sample is a tensor, batch axis included."""

    size: int
    whole: bool

    def take(self, array: Array, first: int, port: Port, real: bool) -> Array:
        """The tensor that holds samples ``first`` and following; the last one is repeated to fill it."""
        if self.whole:
            rows = array[first].reshape(port.shape)
        else:
            rows = array[first : first + self.size]
            if len(rows) < self.size:
                rows = np.concatenate([rows, np.repeat(rows[-1:], self.size - len(rows), axis=0)])
        return np.ascontiguousarray(fed(rows, port, real))

    def rows(self, output: Array, count: int) -> Array:
        """The ``count`` samples that an output holds, samples first."""
        if not self.whole and output.ndim and len(output) == self.size:
            return output[:count]
        return output[None]


def count_samples(given: Sequence[Array], name: str) -> int:
    """How many samples the inputs hold. Raises EC701 when they differ in that."""
    counts = {len(array) if array.ndim else 0 for array in given}
    if len(counts) > 1:
        raise _misfit("inputs have different numbers of samples", name, None, [f"found: {sorted(counts)}"])
    return counts.pop() if counts else 0


def arrange(given: Sequence[Array], engine: Engine, real: bool, name: str, first: int = 0) -> Batch:
    """How to feed ``given``, one array per input; sizes that the model leaves open are set to theirs.

    ``first`` is the number of the first sample, for messages. Raises EC701 when number, shapes
    or dtypes do not fit, EC705 for values that an input cannot hold.
    """
    ports = engine.inputs
    if not ports:
        raise _misfit("the model has no inputs, so there is nothing to run it on", name, None, [])
    if len(given) != len(ports):
        notes = [f"input `{port.name}`, {port.dtype}{_shown(_signature(port))}" for port in ports]
        raise _misfit(f"the model has {_counted(len(ports))}, given: {_counted(len(given))}", name, None, notes)
    for array, port in zip(given, ports, strict=True):
        _check_shape(array, port, name)
        check_values(array, port, real, name, first)
    if any(_open(port) for port in ports):
        _resize(given, engine, name)
    return _batch(given, engine, name)


def _resize(given: Sequence[Array], engine: Engine, name: str) -> None:
    shapes = [
        (*port.shape[:1], *array.shape[1:]) if array.ndim == len(port.shape) else array.shape[1:]
        for array, port in zip(given, engine.inputs, strict=True)
    ]
    if shapes == [port.shape for port in engine.inputs]:
        return
    try:
        engine.resize(shapes)
    except (RuntimeError, ValueError) as error:
        notes = [f"asked for: {', '.join(map(_shown, shapes))}", *str(error).strip().splitlines()[:2]]
        raise _misfit("the model cannot take inputs of this size", name, None, notes) from error


def _batch(given: Sequence[Array], engine: Engine, name: str) -> Batch:
    wholes = [array.ndim != len(port.shape) for array, port in zip(given, engine.inputs, strict=True)]
    sizes = {port.shape[0] for port, whole in zip(engine.inputs, wholes, strict=True) if not whole}
    if len(sizes) > 1 or (any(wholes) and sizes - {1}):
        raise _misfit("the inputs have different batch sizes", name, None, [f"found: {sorted(sizes)}"])
    return Batch(size=1 if any(wholes) else int(sizes.pop()), whole=any(wholes))


def fed(rows: Array, port: Port, real: bool) -> Array:
    """``rows`` in the tensor's dtype: quantized, or cast where nothing is lost."""
    if rows.dtype.name == port.dtype and not (real and port.quantized):
        return rows
    if port.quantized:
        return quantize(rows, port)
    return rows.astype(port.dtype)


def sample_inputs(ports: Sequence[Port], seed: int) -> list[Array]:
    """One seeded tensor per input: noise over the range of the dtype, floats in -1 to 1, indices 0 and 1."""
    generator = np.random.default_rng(seed)
    values = []
    for port in ports:
        if port.dtype.startswith("float"):
            values.append(generator.uniform(-1, 1, port.shape).astype(port.dtype))
        elif port.quantized:
            limits = np.iinfo(port.dtype)
            values.append(generator.integers(limits.min, limits.max, port.shape, endpoint=True).astype(port.dtype))
        else:
            values.append(generator.integers(0, 2, port.shape).astype(port.dtype))
    return values


def check_values(array: Array, port: Port, real: bool, name: str, first: int = 0) -> None:
    """Refuse values that the input cannot hold: texts, NaN where integers are made, integers out of range."""
    if array.dtype.kind not in "biuf":
        raise _misfit(f"input `{port.name}` takes numbers", name, port, [f"found: dtype {array.dtype}"])
    to_integer = port.dtype.startswith(("int", "uint"))
    if to_integer and array.dtype.kind == "f":
        if not np.all(np.isfinite(array)):
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            note = f"found: {array[tuple(where)]} at {where[1:]} of sample {first + where[0]}"
            raise _unfit(port, name, note, "remove such values from the data")
        if not port.quantized and np.any(array != np.trunc(array)):
            raise _unfit(port, name, "found: fractions", f"give whole numbers; the input is {port.dtype}")
    if to_integer and not port.quantized and array.size:
        limits, low, high = np.iinfo(port.dtype), array.min(), array.max()
        if low < limits.min or high > limits.max:
            notes = f"found: {low} to {high}; {port.dtype} holds {limits.min} to {limits.max}"
            raise _unfit(port, name, notes, "give values in range")


def _check_shape(array: Array, port: Port, name: str) -> None:
    if np.dtype(port.dtype).kind not in "biuf":
        raise _misfit(f"input `{port.name}` takes {port.dtype}, which cannot be fed", name, port, [])
    sample, wanted = array.shape[1:], _signature(port)
    if array.ndim and (_matches(sample, wanted) or _matches(sample, wanted[1:])):
        return
    found = f"{counted(len(array), 'sample')} of {_shown(sample)}" if array.ndim else "a single number"
    notes = [f"the input takes {_shown(wanted)}", f"found: {found}"]
    raise _misfit(f"input `{port.name}` has another shape than the samples given", name, port, notes)


def _signature(port: Port) -> tuple[int, ...]:
    return port.signature if len(port.signature) == len(port.shape) else port.shape


def _matches(sample: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(sample) == len(wanted) and all(w in (-1, s) for s, w in zip(sample, wanted, strict=True))


def _open(port: Port) -> bool:
    return any(size < 0 for size in port.signature)


def _shown(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join("?" if size < 0 else str(size) for size in shape) + "]"


def _counted(count: int) -> str:
    return f"{count} inputs" if count != 1 else "1 input"


def _misfit(message: str, name: str, port: Port | None, notes: Sequence[str]) -> EdgecompileError:
    detail = f"{port.dtype}{_shown(_signature(port))}" if port else None
    help = ("`edgecompile inspect` shows the inputs; samples come first: [samples, ...]",)
    return bad_input("EC701", message, Location(file=name, detail=detail), notes, help)


def _unfit(port: Port, name: str, note: str, help: str) -> EdgecompileError:
    place = Location(file=name, detail=f"input `{port.name}`, {port.dtype}{_shown(_signature(port))}")
    return bad_input("EC705", f"input `{port.name}` cannot hold the values given", place, (note,), (help,))
