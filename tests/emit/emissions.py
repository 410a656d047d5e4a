"""Small networks to emit."""

from __future__ import annotations

import dataclasses

from edgecompile.core.target import Placement, Target
from edgecompile.emit.emit import Emission
from edgecompile.ir.network import Network, Operator, Quantization, Signature, Subgraph, Tensor

INPUT = Tensor(
    name="serving_default_x:0",
    shape=(1, 4),
    dtype="int8",
    quantization=Quantization(scales=(0.5,), zero_points=(-3,)),
    shape_signature=(-1, 4),
)
OUTPUT = Tensor(name="StatefulPartitionedCall:0", shape=(1, 4), dtype="float32")


def network(*operators: str, custom: str | None = None) -> Network:
    """A chain from one int8 input to one float output; an operator named CUSTOM gets ``custom`` as its code."""
    steps = tuple(
        Operator(name=name, inputs=(0,), outputs=(1,), custom_code=custom if name == "CUSTOM" else None)
        for name in operators
    )
    main = Subgraph(name="main", tensors=(INPUT, OUTPUT), operators=steps, inputs=(0,), outputs=(1,))
    signature = Signature(key="serving_default", subgraph=0, inputs={"x": 0}, outputs={"scores": 1})
    return Network(subgraphs=(main,), signatures=(signature,))


def target(*emit: str) -> Target:
    """A device that takes anything."""
    return Target(
        id="some-board",
        name="Some board",
        family="cortex-m",
        description="",
        numerics=("int8",),
        io_dtype="int8",
        operators={},
        placement=Placement(accelerator="cpu"),
        emit=emit,
        judge="tflite-micro",
        level=30,
    )


def emission(
    *emit: str, name: str = "kws", content: bytes = bytes(range(256)) * 3 + b"\x01", **more: object
) -> Emission:
    """A frozen model for :func:`target`."""
    base = Emission(name=name, network=network("CONV_2D", "SOFTMAX"), content=content, target=target(*emit))
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]
