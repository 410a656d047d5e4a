"""What depends on constants alone is computed; NumPy's value is TFLite's, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from optimize_check import rewritten, untouched
from optimize_judge import Judge
from optimize_networks import Net

from edgecompile.ir.network import Network
from edgecompile.optimize import fold_constants

Build = Callable[[Net], int]


def added(build: Build) -> Network:
    """ADD of an input and of what ``build`` makes of constants."""
    net = Net()
    made = build(net)
    tensor = net.tensors[made]
    source = net.tensor(tensor.shape, tensor.dtype, name="in")
    result = net.tensor(tensor.shape, tensor.dtype, name="out")
    net.op("ADD", [source, made], [result], 2 if tensor.dtype == "int8" else 1, fused_activation_function="NONE")
    others = [index for index, other in enumerate(net.tensors) if other.name == "other"]
    return net.network([source, *others], [result], signature=True)


def made(
    name: str, shape: tuple[int, ...], *values: Any, dtype: str = "int32", version: int = 1, **options: Any
) -> Build:
    """An operator of int32 constants with a result of ``shape``."""

    def build(net: Net) -> int:
        inputs = [value(net) if callable(value) else net.constant(value) for value in values]
        return net.op(name, inputs, [net.tensor(shape, dtype)], version, **options)

    return build


def constant(values: Any, dtype: str) -> Build:
    return lambda net: net.constant(values, dtype)


def shape_of_input(net: Net) -> int:
    other = net.tensor((3, 5), "float32", name="other")
    return net.op("SHAPE", [other], [net.tensor((2,), "int32")], out_type="int32")


TABLE = np.arange(24).reshape(2, 3, 4) * 7 - 50
MASKS = {f"{kind}_mask": 0 for kind in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
FOLDED: dict[str, Build] = {
    "SHAPE": shape_of_input,
    "RESHAPE": made("RESHAPE", (4, 6), TABLE, [4, 6], new_shape=(4, 6)),
    "SQUEEZE": made("SQUEEZE", (3,), [[1, 2, 3]], squeeze_dims=(0,)),
    "EXPAND_DIMS": made("EXPAND_DIMS", (1, 3), [1, 2, 3], 0),
    "TRANSPOSE": made("TRANSPOSE", (4, 2, 3), TABLE, [2, 0, 1]),
    "PACK": made("PACK", (3, 2), [1, 2, 3], [4, 5, 6], values_count=2, axis=1),
    "PACK of scalars": made("PACK", (2,), 4, 5, values_count=2, axis=0),
    "CONCATENATION": made("CONCATENATION", (2, 6, 4), TABLE, TABLE, axis=-2, fused_activation_function="NONE"),
    "CAST to float": made("CAST", (3,), [1, -2, 3], dtype="float32", in_data_type="int32", out_data_type="float32"),
    "CAST from int64": made("CAST", (3,), constant([1, -2, 3], "int64"), in_data_type="int64", out_data_type="int32"),
    "SLICE": made("SLICE", (1, 2, 2), TABLE, [1, 0, 2], [1, 2, -1]),
    "STRIDED_SLICE": made("STRIDED_SLICE", (2, 2, 2), TABLE, [0, 0, 1], [2, 3, 4], [1, 2, 2], **MASKS),
    "STRIDED_SLICE backwards": made(
        "STRIDED_SLICE", (2, 3, 2), TABLE, [0, -1, 3], [2, 0, 0], [1, -1, -2], **{**MASKS, "end_mask": 2}
    ),
    "STRIDED_SLICE of one element": made(
        "STRIDED_SLICE", (), [7, 8, 9], [1], [2], [1], **{**MASKS, "shrink_axis_mask": 1}
    ),
    "GATHER": made("GATHER", (2, 2, 4), TABLE, [2, 0], axis=1, batch_dims=0),
    "RANGE": made("RANGE", (4,), 2, 14, 3),
    "FILL": made("FILL", (2, 3), [2, 3], 9),
    "MUL": made("MUL", (3,), [1, -2, 3], 5, fused_activation_function="NONE"),
    "SUB": made("SUB", (3,), [1, -2, 3], [4, 5, 6], fused_activation_function="NONE"),
    "MAXIMUM": made("MAXIMUM", (3,), [1, -2, 3], 0),
}


@pytest.mark.parametrize("build", FOLDED.values(), ids=FOLDED.keys())
def test_a_value_of_constants_is_computed(judge: Judge, build: Build) -> None:
    after = rewritten(judge, fold_constants, added(build), ["ADD"])

    assert after.main.tensors[after.main.operators[0].inputs[1]].is_constant


def test_a_chain_of_constants_is_computed_in_one_go(judge: Judge) -> None:
    def chain(net: Net) -> int:
        taken = made("STRIDED_SLICE", (1,), shape_of_input, [1], [2], [1], **MASKS)
        return made("CONCATENATION", (2,), taken, [4], axis=0, fused_activation_function="NONE")(net)

    rewritten(judge, fold_constants, added(chain), ["ADD"])


def of_float16(net: Net) -> int:
    half = net.constant(np.linspace(-1, 1, 8), "float16")
    return net.op("DEQUANTIZE", [half], [net.tensor((8,), "float32")], 3)


def large(net: Net) -> int:
    return made("FILL", (40, 40), [40, 40], 3)(net)


def kept_twice(net: Net) -> int:
    """The result is as large as its source, which somebody else reads too: storing both would cost 1.6 kB."""
    source = net.constant(np.arange(400))
    side = net.tensor((400,), "int32", name="side")
    net.op("ADD", [source, source], [side], fused_activation_function="RELU")
    return net.op("RESHAPE", [source, net.constant([20, 20])], [net.tensor((20, 20), "int32")], new_shape=(20, 20))


def of_open_shape(net: Net) -> int:
    other = net.tensor((3, 5), "float32", name="other", shape_signature=(-1, 5))
    return net.op("SHAPE", [other], [net.tensor((2,), "int32")], out_type="int32")


REFUSED: dict[str, Build] = {
    "weights in float16": of_float16,
    "a large result of small constants": large,
    "a source that stays": kept_twice,
    "the shape of what has none yet": of_open_shape,
    "a sum that leaves int32": made("MUL", (1,), [2_000_000_000], [2], fused_activation_function="NONE"),
    "a cast that loses digits": made(
        "CAST", (1,), [16_777_217], dtype="float32", in_data_type="int32", out_data_type="float32"
    ),
    "a cast of floats": made(
        "CAST", (2,), constant([1.5, -1.5], "float32"), in_data_type="float32", out_data_type="int32"
    ),
}


@pytest.mark.parametrize("build", REFUSED.values(), ids=REFUSED.keys())
def test_a_value_is_left_to_the_interpreter(judge: Judge, build: Build) -> None:
    untouched(judge, fold_constants, added(build))


def test_an_output_stays_computed(judge: Judge) -> None:
    net = Net()
    source, result = net.tensor((3,), "int32", name="in"), net.tensor((3,), "int32", name="out")
    doubled = net.tensor((3,), "int32", name="doubled")
    net.op("ADD", [source, source], [doubled], fused_activation_function="NONE")
    net.op("MUL", [net.constant([1, 2, 3]), net.constant(2)], [result], fused_activation_function="NONE")

    untouched(judge, fold_constants, net.network([source], [doubled, result]))


def test_indices_out_of_range_are_left_to_the_interpreter() -> None:
    network = added(made("GATHER", (1,), [1, 2, 3], [9], axis=0, batch_dims=0))

    assert fold_constants.run(network) == (network, [])
