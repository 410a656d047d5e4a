"""Constants without their zeros: what TFLite's DENSIFY makes of them is what they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Buffer, Tensor
from edgecompile.ir.reader import read
from edgecompile.ir.sparse import compressed, sparse_bytes, values_of
from edgecompile.ir.writer import write
from edgecompile.libs import litert


def constant(shape: tuple[int, ...], dtype: str, zeros: float) -> Tensor:
    draw = np.random.default_rng(3)
    values = draw.integers(1, 100, shape).astype(dtype)
    values[draw.random(shape) < zeros] = 0
    return Tensor(name="w", shape=shape, dtype=dtype, buffer=Buffer(values.tobytes()))


CASES = {
    "float32": ((16, 1, 1, 24), "float32", 0.8),
    "int8": ((7, 40), "int8", 0.5),
    "wide: indices of two bytes": ((3, 700), "float32", 0.5),
    "many: indices of four bytes": ((2, 70_000), "int8", 0.4),
    "no zeros": ((2, 3), "float32", 0.0),
    "a vector": ((9,), "float32", 0.5),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_densify_gives_the_values_back(case: tuple[Any, ...]) -> None:
    dense = constant(*case)
    build = NetworkBuilder()
    build.tensors.append(compressed(dense))
    x = build.input("x", dense.shape, dense.dtype)
    y = build.tensor("y", dense.shape, dense.dtype)
    z = build.tensor("z", dense.shape, dense.dtype)
    build.op("DENSIFY", [0], [y], version=1)
    build.op("MAXIMUM", [x, y], [z])
    content = write(build.output(z).build())

    runtime = litert.choose("ai-edge-litert")
    lowest = np.zeros((1, *dense.shape), dense.dtype)
    found = litert.invoke(content, [lowest], runtime=runtime, workers=1).arrays[0]
    assert np.array_equal(found.reshape(dense.shape), dense.array)
    assert np.array_equal(values_of(read(content).main.tensors[0]), dense.array)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_bytes_are_those_foretold(case: tuple[Any, ...]) -> None:
    dense = constant(*case)
    stored = compressed(dense)
    last = stored.raw.sparsity.dimMetadata[-1]

    assert (
        sparse_bytes(dense) == len(stored.buffer) + last.arraySegments.values.nbytes + last.arrayIndices.values.nbytes
    )


SCALAR = Tensor(name="s", shape=(), dtype="float32", buffer=Buffer(bytes(4)))
COMPUTED = Tensor(name="y", shape=(2, 2), dtype="float32")


@pytest.mark.parametrize(
    "tensor", [COMPUTED, SCALAR, constant((2, 3), "float32", 1.0)], ids=["value", "scalar", "zeros"]
)
def test_what_cannot_be_stored_so_is_refused(tensor: Tensor) -> None:
    with pytest.raises(ValueError, match="no dense constant"):
        compressed(tensor)

    assert sparse_bytes(tensor) == len(tensor.buffer)


def test_another_layout_is_not_read() -> None:
    stored = compressed(constant((4, 4), "float32", 0.5))
    stored.raw.sparsity.traversalOrder = np.asarray([1, 0], np.int32)

    assert values_of(stored) is None
