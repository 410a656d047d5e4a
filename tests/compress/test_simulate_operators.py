"""Every operator in float beside the interpreter: one network with all of them, run once.

The interpreter runs its default kernels: the reference resolver of tflite-runtime lacks some operators.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from edgecompile.compress.simulate.plan import implemented
from edgecompile.compress.simulate.run import run
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.writer import write
from edgecompile.libs import litert

pytestmark = pytest.mark.tensorflow
Array = np.ndarray[Any, Any]
_SAMPLES = 3
# Float32 sums in another order, and kernels that approximate tanh and the exponential.
_TOLERANCE = 2e-5
_RANDOM = np.random.default_rng(7)


@dataclass(frozen=True)
class Case:
    """``inputs``: names of network inputs, arrays (constants), or None."""

    name: str
    inputs: tuple[Any, ...]
    shapes: tuple[tuple[int, ...], ...]
    options: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    operator: str = ""


_INPUTS: dict[str, tuple[tuple[int, ...], str]] = {
    "image": ((1, 8, 6, 4), "float32"),
    "other": ((1, 8, 6, 4), "float32"),
    "above": ((1, 8, 6, 4), "above"),
    "row": ((1, 6), "float32"),
    "cube": ((1, 4, 5, 6, 2), "float32"),
    "sequence": ((1, 5, 4), "float32"),
    "places": ((1, 3), "int32"),
    "flags": ((1, 8, 6, 4), "bool"),
    "flag": ((1,), "bool"),
    "blocks": ((4, 3, 2, 4), "float32"),
}


def _weights(*shape: int) -> Array:
    return _RANDOM.normal(size=shape, scale=0.4).astype(np.float32)


def _ints(*values: Any) -> Array:
    return np.array(values if len(values) != 1 else values[0], np.int32)


_IMAGE = (1, 8, 6, 4)
_SAME = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
_VALID = {"padding": "VALID", "stride_h": 2, "stride_w": 2}
_POOL = {"padding": "SAME", "stride_h": 2, "stride_w": 2, "filter_height": 3, "filter_width": 2}
_ALL_POOL = {"padding": "VALID", "stride_h": 1, "stride_w": 1, "filter_height": 8, "filter_width": 6}


def _unary(name: str, source: str = "image", **options: Any) -> Case:
    return Case(name, (source,), (_IMAGE,), options)


def _binary(name: str, second: Any, source: str = "image", dtype: str = "float32", **options: Any) -> Case:
    return Case(name, (source, second), (_IMAGE,), options, dtype)


def _reduce(name: str, axes: Array, shape: tuple[int, ...], keep: bool) -> Case:
    return Case(name, ("image", axes), (shape,), {"keep_dims": keep})


CASES = {
    "conv": Case("CONV_2D", ("image", _weights(5, 3, 3, 4), _weights(5)), ((1, 8, 6, 5),), _SAME),
    "conv, strided, relu6": Case(
        "CONV_2D",
        ("image", _weights(5, 3, 3, 4), _weights(5)),
        ((1, 3, 2, 5),),
        {**_VALID, "fused_activation_function": "RELU6"},
    ),
    "conv, dilated": Case(
        "CONV_2D",
        ("image", _weights(5, 3, 2, 4), _weights(5)),
        ((1, 8, 6, 5),),
        {**_SAME, "dilation_h_factor": 2, "dilation_w_factor": 3},
    ),
    "depthwise": Case(
        "DEPTHWISE_CONV_2D",
        ("image", _weights(1, 3, 3, 8), _weights(8)),
        ((1, 8, 6, 8),),
        {**_SAME, "depth_multiplier": 2},
    ),
    "depthwise, unequal strides": Case(
        "DEPTHWISE_CONV_2D",
        ("image", _weights(1, 3, 3, 4), _weights(4)),
        ((1, 4, 6, 4),),
        {**_SAME, "stride_h": 2},
    ),
    "depthwise, dilated": Case(
        "DEPTHWISE_CONV_2D",
        ("image", _weights(1, 3, 3, 4), _weights(4)),
        ((1, 8, 6, 4),),
        {**_SAME, "dilation_h_factor": 2, "dilation_w_factor": 2},
    ),
    "transpose conv": Case(
        "TRANSPOSE_CONV",
        (_ints(1, 16, 12, 3), _weights(3, 3, 3, 4), "image", _weights(3)),
        ((1, 16, 12, 3),),
        {"padding": "SAME", "stride_h": 2, "stride_w": 2},
    ),
    "conv 3d": Case(
        "CONV_3D",
        ("cube", _weights(2, 3, 3, 2, 3), _weights(3)),
        ((1, 4, 5, 6, 3),),
        {"padding": "SAME", "stride_d": 1, "stride_h": 1, "stride_w": 1},
    ),
    "dense": Case("FULLY_CONNECTED", ("row", _weights(3, 6), _weights(3)), ((1, 3),)),
    "dense, all axes kept": Case(
        "FULLY_CONNECTED", ("image", _weights(3, 4), None), ((1, 8, 6, 3),), {"keep_num_dims": True}
    ),
    "matmul": Case("BATCH_MATMUL", ("sequence", "sequence"), ((1, 5, 5),), {"adj_y": True}),
    "matmul with weights": Case("BATCH_MATMUL", ("sequence", _weights(4, 3)), ((1, 5, 3),)),
    "add": _binary("ADD", "other", fused_activation_function="RELU"),
    "add a row": _binary("ADD", _weights(4)),
    "sub": _binary("SUB", "other"),
    "mul": _binary("MUL", "other"),
    "mul by one number": _binary("MUL", np.float32(1.5)),
    "div": _binary("DIV", "above"),
    "pow": _binary("POW", "other", "above"),
    "minimum": _binary("MINIMUM", "other"),
    "maximum": _binary("MAXIMUM", np.zeros(4, np.float32)),
    "squared difference": _binary("SQUARED_DIFFERENCE", "other"),
    "floor div": _binary("FLOOR_DIV", "above"),
    "floor mod": _binary("FLOOR_MOD", "above"),
    "add n": Case("ADD_N", ("image", "other", "above"), (_IMAGE,)),
    **{
        name.lower(): _unary(name)
        for name in (
            *("RELU", "RELU6", "RELU_N1_TO_1", "ELU", "LOGISTIC", "TANH", "HARD_SWISH", "ABS", "NEG", "SQUARE"),
            *("EXP", "SIN", "COS", "FLOOR", "CEIL", "ROUND", "LOG_SOFTMAX", "L2_NORMALIZATION", "ZEROS_LIKE"),
        )
    },
    "relu 0 to 1": _unary("RELU_0_TO_1"),
    "sqrt": _unary("SQRT", "above"),
    "rsqrt": _unary("RSQRT", "above"),
    "log": _unary("LOG", "above"),
    "leaky relu": _unary("LEAKY_RELU", alpha=0.3),
    "gelu": _unary("GELU"),
    "gelu, approximate": _unary("GELU", approximate=True),
    "prelu": _binary("PRELU", _weights(1, 1, 4)),
    "softmax": _unary("SOFTMAX", beta=1.0),
    "softmax, beta": _unary("SOFTMAX", beta=0.5),
    "average pool": Case("AVERAGE_POOL_2D", ("image",), ((1, 4, 3, 4),), _POOL),
    "average pool of all": Case("AVERAGE_POOL_2D", ("image",), ((1, 1, 1, 4),), _ALL_POOL),
    "max pool": Case("MAX_POOL_2D", ("image",), ((1, 4, 3, 4),), _POOL),
    "l2 pool": Case("L2_POOL_2D", ("image",), ((1, 4, 3, 4),), _POOL),
    "mean": _reduce("MEAN", _ints(1, 2), (1, 4), False),
    "sum": _reduce("SUM", _ints([-1]), (1, 8, 6, 1), True),
    "reduce max": _reduce("REDUCE_MAX", _ints(1, 2), (1, 4), False),
    "reduce min": _reduce("REDUCE_MIN", _ints([3]), (1, 8, 6), False),
    "reduce prod": _reduce("REDUCE_PROD", _ints([1]), (1, 6, 4), False),
    "arg max": Case("ARG_MAX", ("image", _ints([3])), ((1, 8, 6),), {"output_type": "int32"}, "int32"),
    "arg min": Case("ARG_MIN", ("image", _ints([1])), ((1, 6, 4),), {"output_type": "int32"}, "int32"),
    "cumsum": Case("CUMSUM", ("image", np.int32(1)), (_IMAGE,), {"exclusive": True, "reverse": True}),
    "reshape": Case("RESHAPE", ("image", _ints(1, -1, 8)), ((1, 24, 8),)),
    "squeeze": Case("SQUEEZE", ("row",), ((6,),), {"squeeze_dims": (0,)}),
    "expand dims": Case("EXPAND_DIMS", ("image", np.int32(-1)), ((1, 8, 6, 4, 1),)),
    "transpose": Case("TRANSPOSE", ("image", _ints(3, 0, 2, 1)), ((4, 1, 6, 8),)),
    "reverse": Case("REVERSE_V2", ("image", _ints([2])), (_IMAGE,)),
    "pad": Case("PAD", ("image", _ints([[0, 0], [1, 2], [0, 1], [0, 0]])), ((1, 11, 7, 4),)),
    "pad v2": Case(
        "PADV2", ("image", _ints([[0, 0], [1, 2], [0, 1], [0, 0]]), np.array([2.5], np.float32)), ((1, 11, 7, 4),)
    ),
    "mirror pad": Case(
        "MIRROR_PAD", ("image", _ints([[0, 0], [1, 2], [0, 1], [0, 0]])), ((1, 11, 7, 4),), {"mode": "REFLECT"}
    ),
    "concatenation": Case("CONCATENATION", ("image", "other", _weights(1, 8, 6, 2)), ((1, 8, 6, 10),), {"axis": 3}),
    "pack": Case("PACK", ("row", "row"), ((1, 2, 6),), {"axis": 1, "values_count": 2}),
    "unpack": Case("UNPACK", ("sequence",), ((1, 5),) * 4, {"axis": 2, "num": 4}),
    "split": Case("SPLIT", (np.int32(3), "image"), ((1, 8, 6, 2),) * 2, {"num_splits": 2}),
    "split v": Case("SPLIT_V", ("image", _ints(1, 3), np.int32(3)), ((1, 8, 6, 1), (1, 8, 6, 3)), {"num_splits": 2}),
    "slice": Case("SLICE", ("image", _ints(0, 2, 1, 0), _ints(1, 3, -1, 2)), ((1, 3, 5, 2),)),
    "strided slice": Case(
        "STRIDED_SLICE",
        ("image", _ints(0, 1, 5, 0), _ints(1, 7, 0, 2), _ints(1, 2, -2, 1)),
        ((1, 3, 3),),
        {"begin_mask": 1, "end_mask": 1, "shrink_axis_mask": 8},
    ),
    "gather rows of a table": Case("GATHER", (_weights(6, 4), "places"), ((1, 3, 4),), {"axis": 0}),
    "gather along an axis": Case("GATHER", ("image", _ints(3, 0)), ((1, 8, 6, 2),), {"axis": 3}),
    "gather by sample": Case("GATHER", ("row", "places"), ((1, 3),), {"axis": 1, "batch_dims": 1}),
    "gather nd": Case("GATHER_ND", ("row", _ints([[0, 2], [0, 5]])), ((2,),)),
    "one hot": Case("ONE_HOT", ("places", np.int32(6), np.float32(2), np.float32(-1)), ((1, 3, 6),), {"axis": -1}),
    "tile": Case("TILE", ("row", _ints(1, 2)), ((1, 12),)),
    "broadcast to": Case("BROADCAST_TO", ("row", _ints(1, 3, 6)), ((1, 3, 6),), {"version": 2}),
    "resize bilinear": Case("RESIZE_BILINEAR", ("image", _ints(12, 9)), ((1, 12, 9, 4),), {"half_pixel_centers": True}),
    "resize bilinear, corners": Case(
        "RESIZE_BILINEAR", ("image", _ints(12, 9)), ((1, 12, 9, 4),), {"align_corners": True}
    ),
    "resize nearest": Case(
        "RESIZE_NEAREST_NEIGHBOR", ("image", _ints(16, 12)), ((1, 16, 12, 4),), {"half_pixel_centers": True}
    ),
    "space to batch": Case("SPACE_TO_BATCH_ND", ("image", _ints(2, 2), _ints([[0, 0], [1, 1]])), ((4, 4, 4, 4),)),
    "batch to space": Case("BATCH_TO_SPACE_ND", ("blocks", _ints(2, 2), _ints([[1, 0], [0, 1]])), ((1, 5, 3, 4),)),
    "space to depth": Case("SPACE_TO_DEPTH", ("image",), ((1, 4, 3, 16),), {"block_size": 2}),
    "depth to space": Case("DEPTH_TO_SPACE", ("image",), ((1, 16, 12, 1),), {"block_size": 2}),
    "cast": Case("CAST", ("places",), ((1, 3),), {"in_data_type": "int32", "out_data_type": "float32"}),
    **{
        name.lower(): Case(name, ("image", "other"), (_IMAGE,), {}, "bool")
        for name in ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL")
    },
    "logical and": Case("LOGICAL_AND", ("flags", "flags"), (_IMAGE,), {}, "bool"),
    "logical or": Case("LOGICAL_OR", ("flags", np.array([True, False, True, False])), (_IMAGE,), {}, "bool"),
    "logical not": Case("LOGICAL_NOT", ("flags",), (_IMAGE,), {}, "bool"),
    "reduce any": Case("REDUCE_ANY", ("flags", _ints(1, 2)), ((1, 4),), {}, "bool"),
    "reduce all": Case("REDUCE_ALL", ("flags", _ints([3])), ((1, 8, 6),), {}, "bool"),
    "select": Case("SELECT", ("flags", "image", "other"), (_IMAGE,)),
    "select rows": Case("SELECT", ("flag", "image", "other"), (_IMAGE,)),
    "select v2": Case("SELECT_V2", ("flags", "image", _weights(4)), (_IMAGE,)),
    "sign": _unary("SIGN"),
    "atan2": _binary("ATAN2", "other"),
    "embedding lookup": Case("EMBEDDING_LOOKUP", (_ints(4, 0), _weights(6, 4)), ((2, 4),)),
}


def _build(cases: dict[str, Case]) -> NetworkBuilder:
    build = NetworkBuilder()
    inputs = {
        name: build.input(name, shape, "float32" if kind == "above" else kind)
        for name, (shape, kind) in _INPUTS.items()
    }
    for label, case in cases.items():
        tensors = [
            -1 if item is None else inputs[item] if isinstance(item, str) else build.constant(f"{label}/{slot}", item)
            for slot, item in enumerate(case.inputs)
        ]
        outputs = [build.tensor(f"{label}/out{i}", shape, case.dtype) for i, shape in enumerate(case.shapes)]
        build.op(case.name, tensors, outputs, **case.options)
        build.output(*outputs)
    return build


def _samples() -> list[Array]:
    random = np.random.default_rng(3)
    kinds = {
        "float32": lambda shape: random.normal(size=shape).astype(np.float32),
        "above": lambda shape: random.uniform(0.5, 2.0, shape).astype(np.float32),
        "bool": lambda shape: random.integers(0, 2, shape).astype(bool),
        "int32": lambda shape: random.integers(0, 6, shape).astype(np.int32),
    }
    return [kinds[kind]((_SAMPLES, *shape)) for shape, kind in _INPUTS.values()]


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[list[Array], list[Array]]]:
    """Simulated and interpreted outputs of each case."""
    network, x = _build(CASES).build(), _samples()
    simulated, _ = run(network, x)
    interpreted = litert.invoke(write(network), x, runtime=litert.choose("tflite"), workers=1).arrays
    found: dict[str, tuple[list[Array], list[Array]]] = {}
    place = 0
    for label, case in CASES.items():
        count = len(case.shapes)
        found[label] = (list(simulated[place : place + count]), list(interpreted[place : place + count]))
        place += count
    return found


@pytest.mark.parametrize("label", CASES)
def test_an_operator_gives_what_the_interpreter_gives(
    label: str, answers: dict[str, tuple[list[Array], list[Array]]]
) -> None:
    simulated, interpreted = answers[label]

    for ours, theirs in zip(simulated, interpreted, strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=_TOLERANCE, atol=_TOLERANCE)


def test_nearly_all_simulations_stand_beside_the_interpreter() -> None:
    # Compared in whole networks (recurrent layers, quantization), or known before a sample comes.
    elsewhere = {
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "SVDF",
        "QUANTIZE",
        "DEQUANTIZE",
        "SHAPE",
        "RANK",
        "FILL",
        "RANGE",
        "BROADCAST_ARGS",
    }

    assert set(implemented()) - {case.name for case in CASES.values()} == elsewhere
