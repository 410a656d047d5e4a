"""Networks of one or a few operators, and targets of a few clauses, written in one line each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.core.target import Clause, Placement, Target
from edgecompile.ir.network import EMPTY, Buffer, Network, Operator, Quantization, Subgraph, Tensor
from edgecompile.legalize.context import Context

_SPEC = re.compile(r"(\w+)\[([-\d, ]*)\]")


def tensor(spec: str, value: Any = None, *, scales: Sequence[float] = (), zero: int = 0, name: str = "") -> Tensor:
    """A tensor from ``int8[1, 4, 4, 8]``; with ``value`` a constant of it (one number fills it)."""
    match = _SPEC.fullmatch(spec)
    assert match, spec
    dtype, signature = match[1], tuple(int(size) for size in match[2].split(",") if size.strip())
    shape = tuple(1 if size < 0 else size for size in signature)
    content = EMPTY
    if value is not None:
        content = Buffer(np.broadcast_to(np.asarray(value, dtype), shape).tobytes())
    points = (zero,) * len(scales)
    quantization = Quantization(scales=tuple(scales), zero_points=points) if scales else None
    return Tensor(
        name=name, shape=shape, dtype=dtype, buffer=content, quantization=quantization, shape_signature=signature
    )


def network(
    name: str,
    inputs: Sequence[Tensor | str | None],
    outputs: Sequence[Tensor | str],
    options: Mapping[str, Any] | None = None,
    *,
    version: int = 1,
    custom: str | None = None,
) -> Network:
    """One operator; inputs and outputs are tensors, specs, or None for an input left out."""
    tensors: list[Tensor] = []

    def add(one: Tensor | str | None) -> int:
        if one is None:
            return -1
        tensors.append(tensor(one) if isinstance(one, str) else one)
        return len(tensors) - 1

    operator = Operator(
        name=name,
        inputs=tuple(add(one) for one in inputs),
        outputs=tuple(add(one) for one in outputs),
        options=options or {},
        version=version,
        custom_code=custom,
    )
    return of_operators(tensors, [operator])


def of_operators(tensors: Sequence[Tensor], operators: Sequence[Operator]) -> Network:
    """A network of one subgraph; its inputs are what no operator computes, its outputs what none reads."""
    written = {index for operator in operators for index in operator.outputs}
    read = {index for operator in operators for index in operator.inputs}
    used = [index for index, one in enumerate(tensors) if not one.is_constant]
    subgraph = Subgraph(
        name="main",
        tensors=tuple(tensors),
        operators=tuple(operators),
        inputs=tuple(index for index in used if index not in written),
        outputs=tuple(index for index in used if index not in read),
    )
    return Network(subgraphs=(subgraph,))


def context(found: Network, target: Target | None = None, index: int = 0) -> Context:
    """The surroundings of one operator of the first subgraph."""
    producers = {one: i for i, operator in enumerate(found.main.operators) for one in operator.outputs}
    return Context(network=found, subgraph=found.main, index=index, target=target or device({}), producers=producers)


def device(
    operators: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    level: int | None = None,
    fallback: str | None = None,
    max_partitions: int | None = None,
    keep: str = "largest",
) -> Target:
    """A target that has these operators, each with its clauses."""
    return Target(
        id="device",
        name="device",
        family="device",
        description="",
        numerics=("int8",),
        io_dtype="int8",
        operators={
            name: tuple(Clause(rules=rules, source="the data sheet") for rules in clauses)
            for name, clauses in operators.items()
        },
        placement=Placement(accelerator="npu", fallback=fallback, max_partitions=max_partitions, keep=keep),
        emit=("tflite",),
        judge="tflite",
        level=level,
        sources={"operators": "the data sheet", "placement": "the data sheet"},
    )
