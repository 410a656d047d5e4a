"""Runs a network before and after a rewrite with TFLite's reference kernels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.core.target import Clause, Placement, Target
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.libs import litert

Array = np.ndarray[Any, Any]
# tflite-runtime 2.14 does not read FULLY_CONNECTED with a scale per channel.
RUNTIME = litert.choose("ai-edge-litert")


def target(operators: Mapping[str, Mapping[str, Any]] | None = None, **fields: Any) -> Target:
    """A target that accepts exactly these operators, each by one clause."""
    clauses = {name: (Clause(rules=rules, source="here"),) for name, rules in (operators or {}).items()}
    values: dict[str, Any] = {
        "id": "here",
        "name": "here",
        "family": "here",
        "description": "here",
        "numerics": ("int8",),
        "io_dtype": "int8",
        "operators": clauses,
        "placement": Placement(accelerator="npu", fallback="cpu", max_partitions=1, keep="first"),
        "emit": ("tflite",),
        "judge": "tflite",
        **fields,
    }
    return Target(**values)


def samples(network: Network, count: int) -> tuple[Array, ...]:
    """Seeded integers over the whole range of every input, normal floats for float inputs."""
    draw = np.random.default_rng(0)
    return tuple(
        _drawn(draw, network.main.tensors[i].dtype, (count, *network.main.tensors[i].shape[1:]))
        for i in network.main.inputs
    )


def run(network: Network, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Raw outputs of TFLite's reference kernels, samples first."""
    return litert.invoke(write(network), inputs, runtime=RUNTIME, resolver="reference", workers=1).arrays


def differences(before: Network, after: Network, count: int = 16) -> Iterator[int]:
    """The largest difference of each output, in steps."""
    inputs = samples(before, count)
    for old, new in zip(run(before, inputs), run(after, inputs), strict=True):
        assert old.dtype == new.dtype and old.shape == new.shape
        yield int(np.abs(old.astype(np.int64) - new.astype(np.int64)).max())


def labels(network: Network) -> list[str]:
    """Operator names in order."""
    return [operator.label for operator in network.main.operators]


def outer(network: Network) -> list[tuple[str, str, object]]:
    """Names, types and quantization of inputs and outputs."""
    tensors = [network.main.tensors[i] for i in (*network.main.inputs, *network.main.outputs)]
    return [(tensor.name, str(tensor), tensor.quantization) for tensor in tensors]


def _drawn(draw: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Array:
    if dtype == "float32":
        return draw.normal(0, 2, shape).astype(np.float32)
    limits = np.iinfo(dtype)
    return draw.integers(limits.min, limits.max + 1, shape).astype(dtype)
