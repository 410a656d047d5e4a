"""Operators that copy their input go; those that only look like it stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from optimize_check import rewritten, same_answers, untouched
from optimize_judge import Judge
from optimize_networks import Net, labels

from edgecompile.ir.network import Network, Quantization
from edgecompile.optimize import drop_identities

SHAPE = (1, 4, 4, 2)
Build = Callable[[Net, int, int], int]


def between(build: Build, source: tuple[int, ...] = SHAPE, **fields: Any) -> Network:
    """RELU, the operator in question with a result of ``fields``, RELU."""
    net = Net()
    first, before = net.tensor(source, name="in"), net.tensor(source)
    after = net.tensor(**{"shape": SHAPE, **fields})
    last = net.tensor(net.tensors[after].shape, name="out", quantization=net.tensors[after].quantization)
    net.op("RELU", [first], [before], 2)
    build(net, before, after)
    net.op("RELU", [after], [last], 2)
    return net.network([first], [last], signature=True)


def plain(name: str, *constants: Any, version: int = 1, **options: Any) -> Build:
    def build(net: Net, before: int, after: int) -> int:
        return net.op(name, [before, *(net.constant(value) for value in constants)], [after], version, **options)

    return build


def split(net: Net, before: int, after: int) -> int:
    return net.op("SPLIT", [net.constant(3), before], [after], 2, num_splits=1)


def through_float(net: Net, before: int, after: int) -> int:
    middle = net.tensor(net.tensors[before].shape, "float32")
    net.op("DEQUANTIZE", [before], [middle], 2)
    return net.op("QUANTIZE", [middle], [after], 1)


def padv2(net: Net, before: int, after: int) -> int:
    value = net.constant(7, "int8")
    return net.op("PADV2", [before, net.constant([[0, 0]] * 4), value], [after], 2)


NO_MASKS = {f"{kind}_mask": 0 for kind in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
IDENTITIES: dict[str, Build] = {
    "RESHAPE to the same shape": plain("RESHAPE", [1, 4, 4, 2], new_shape=(1, 4, 4, 2)),
    "QUANTIZE with equal parameters": plain("QUANTIZE", version=2),
    "TRANSPOSE in the present order": plain("TRANSPOSE", [0, 1, 2, 3], version=2),
    "PAD by nothing": plain("PAD", [[0, 0]] * 4, version=2),
    "PADV2 by nothing": padv2,
    "SLICE of everything": plain("SLICE", [0] * 4, [-1] * 4, version=2),
    "STRIDED_SLICE of everything": plain("STRIDED_SLICE", [0] * 4, [1, 4, 4, 2], [1] * 4, version=2, **NO_MASKS),
    "CONCATENATION of one": plain("CONCATENATION", version=2, axis=3, fused_activation_function="NONE"),
    "SPLIT into one": split,
    "CAST to the same dtype": plain("CAST", in_data_type="int8", out_data_type="int8"),
    "QUANTIZE of DEQUANTIZE with equal parameters": through_float,
}


@pytest.mark.parametrize("build", IDENTITIES.values(), ids=IDENTITIES.keys())
def test_an_identity_goes(judge: Judge, build: Build) -> None:
    network = between(build)

    after, _ = drop_identities.run(network)

    rest = ["DEQUANTIZE"] if build is through_float else []
    assert labels(after) == ["RELU", *rest, "RELU"]
    same_answers(judge, network, after)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_a_way_through_float_and_back_is_an_identity_for(judge: Judge, dtype: str) -> None:
    zero = 0 if dtype == "int16" else 3
    net = Net()
    source = net.tensor((1, 300), dtype, scale=0.0123, zero=zero, name="in")
    middle, again = net.tensor((1, 300), "float32"), net.tensor((1, 300), dtype, scale=0.0123, zero=zero)
    result = net.tensor((300, 1), dtype, scale=0.0123, zero=zero, name="out")
    net.op("DEQUANTIZE", [source], [middle], 3)
    net.op("QUANTIZE", [middle], [again], 2)
    net.op("RESHAPE", [again, net.constant([300, 1])], [result], new_shape=(300, 1))

    rewritten(judge, drop_identities, net.network([source], [result]), ["DEQUANTIZE", "RESHAPE"])


def float_view(net: Net, before: int, after: int) -> int:
    return net.op("RESHAPE", [before, net.constant([1, 32])], [after], new_shape=(1, 32))


def concat_with_itself(net: Net, before: int, after: int) -> int:
    return net.op("CONCATENATION", [before, before], [after], 2, axis=3, fused_activation_function="NONE")


REFUSED: dict[str, Network] = {
    "RESHAPE to another shape": between(float_view, shape=(1, 32)),
    "QUANTIZE to another scale": between(
        plain("QUANTIZE", version=2), quantization=Quantization(scales=(0.2,), zero_points=(0,))
    ),
    "QUANTIZE to another zero point": between(
        plain("QUANTIZE", version=2), quantization=Quantization(scales=(0.1,), zero_points=(5,))
    ),
    "a way through float to another scale": between(
        through_float, quantization=Quantization(scales=(0.2,), zero_points=(0,))
    ),
    "TRANSPOSE of two equal axes": between(plain("TRANSPOSE", [0, 2, 1, 3], version=2)),
    "PAD by something": between(plain("PAD", [[0, 0], [1, 0], [0, 0], [0, 0]], version=2), shape=(1, 5, 4, 2)),
    "STRIDED_SLICE backwards": between(
        plain("STRIDED_SLICE", [0, 3, 0, 0], [1, -5, 4, 2], [1, -1, 1, 1], version=2, **NO_MASKS)
    ),
    "CONCATENATION of two": between(concat_with_itself, shape=(1, 4, 4, 4)),
    "RELU": between(plain("RELU", version=2)),
}


@pytest.mark.parametrize("network", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_identity_stays(judge: Judge, network: Network) -> None:
    untouched(judge, drop_identities, network)


def test_an_identity_before_an_output_lets_the_operator_before_write_it(judge: Judge) -> None:
    net = Net()
    source, middle, side = net.tensor(SHAPE, name="in"), net.tensor(SHAPE), net.tensor(SHAPE, name="side")
    result = net.tensor(SHAPE, name="out")
    net.op("RELU", [source], [middle], 2)
    net.op("RESHAPE", [middle, net.constant(SHAPE)], [result], new_shape=SHAPE)
    net.op("RELU6", [middle], [side], 2)

    after = rewritten(judge, drop_identities, net.network([source], [result, side], signature=True), ["RELU", "RELU6"])

    assert after.main.operators[0].outputs == (result,) and after.main.operators[1].inputs == (result,)


def test_an_identity_between_input_and_output_stays(judge: Judge) -> None:
    net = Net()
    source, result = net.tensor(SHAPE, name="in"), net.tensor(SHAPE, name="out")
    net.op("RESHAPE", [source, net.constant(SHAPE)], [result], new_shape=SHAPE)

    untouched(judge, drop_identities, net.network([source], [result]))


def test_sizes_known_at_run_time_only_are_left_alone(judge: Judge) -> None:
    untouched(
        judge, drop_identities, between(plain("RESHAPE", [1, 4, 4, 2], new_shape=SHAPE), shape_signature=(-1, 4, 4, 2))
    )


def test_a_copy_of_a_variable_stays() -> None:
    net = Net()
    source, state = net.tensor(SHAPE, name="in"), net.tensor(SHAPE, is_variable=True)
    copy, result = net.tensor(SHAPE), net.tensor(SHAPE, name="out")
    net.op("RESHAPE", [state, net.constant(SHAPE)], [copy], new_shape=SHAPE)
    net.op("ADD", [source, copy], [result], 2)
    network = net.network([source], [result])

    assert drop_identities.run(network) == (network, [])
