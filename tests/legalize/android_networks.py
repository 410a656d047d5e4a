"""Networks of one operator that Android's delegates take or refuse, by name: each operator in several types and forms.

What they are for is to be asked about: of the profiles, of the real XNNPACK and of TensorFlow's checker for the GPU.
`delegate_answers.json` holds what the real ones said; `scripts/bench android --record` writes it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

_FUNCTIONS = "ABS CEIL COS ELU EXP FLOOR GELU HARD_SWISH LOG LOGISTIC NEG ROUND RSQRT SIGN SIN SQRT SQUARE TANH"
_ACTIVATIONS = "RELU RELU6 RELU_N1_TO_1 LEAKY_RELU SOFTMAX LOG_SOFTMAX"
UNARY = tuple(f"{_FUNCTIONS} {_ACTIVATIONS}".split())
BINARY = ["ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "FLOOR_DIV", "FLOOR_MOD", "SQUARED_DIFFERENCE"]
COMPARE = ["EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL"]
REDUCE = ["MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"]
TYPES = ("float32", "int8", "uint8", "int16", "int32")
IMAGE = (1, 8, 8, 4)

Put = Callable[[NetworkBuilder], Any]


def networks() -> dict[str, Network]:
    """All of them, by an id such as ``CONV_2D int8 no bias``."""
    made: dict[str, Network] = {}
    for rows in (_unary, _binary, _reduce, _layers, _moves, _casts):
        for name, found in rows():
            assert name not in made, name
            made[name] = found
    return made


def scale_of(dtype: str) -> float | None:
    return 0.05 if dtype in ("int8", "uint8", "int16") else None


class One(NetworkBuilder):
    """One operator, in a line: inputs are shapes (computed) or arrays (stored), outputs shapes."""

    def __init__(self, dtype: str = "float32") -> None:
        super().__init__()
        self.dtype = dtype

    def add(
        self,
        name: str,
        inputs: Sequence[Any],
        *outputs: Any,
        dtype: str | None = None,
        scale: Any = 0.0,
        **options: Any,
    ) -> Network:
        given = [self._given(one, position) for position, one in enumerate(inputs)]
        kind = dtype or self.dtype
        written = scale if scale != 0.0 else scale_of(kind)
        results = [self.tensor(f"y{i}", shape, kind, written) for i, shape in enumerate(outputs)]
        self.op(name, given, results, **options)
        return self.output(*results).build()

    def _given(self, one: Any, position: int) -> int:
        if one is None:
            return -1
        if isinstance(one, np.ndarray):
            scale = 0.01 if one.dtype in (np.int8, np.uint8) else None
            return self.constant(f"c{position}", one, scale=scale)
        if isinstance(one, tuple) and one and isinstance(one[0], str):
            return self.input(f"x{position}", one[1], one[0], scale_of(one[0]))
        if callable(one):
            return int(one(self))
        return self.input(f"x{position}", one, self.dtype, scale_of(self.dtype))


def _unary() -> Iterator[tuple[str, Network]]:
    options: Mapping[str, Mapping[str, Any]] = {"LEAKY_RELU": {"alpha": 0.1}, "SOFTMAX": {"beta": 1.0}}
    for name in UNARY:
        for dtype in TYPES:
            yield f"{name} {dtype}", One(dtype).add(name, [IMAGE], IMAGE, **options.get(name, {}))
    yield "SOFTMAX float32 beta 2", One().add("SOFTMAX", [IMAGE], IMAGE, beta=2.0)
    yield "LEAKY_RELU float32 slope 0", One().add("LEAKY_RELU", [IMAGE], IMAGE, alpha=0.0)
    yield "LEAKY_RELU int8 slope near 0", One("int8").add("LEAKY_RELU", [IMAGE], IMAGE, alpha=0.001)
    yield "ABS float32 of a constant", One().add("ABS", [np.ones(IMAGE, np.float32)], IMAGE)
    yield "RELU float32 rank 5", One().add("RELU", [(1, 2, 2, 2, 2)], (1, 2, 2, 2, 2))


def _binary() -> Iterator[tuple[str, Network]]:
    for name in BINARY:
        for dtype in TYPES:
            yield f"{name} {dtype}", One(dtype).add(name, [IMAGE, IMAGE], IMAGE)
        yield f"{name} float32 with a constant", One().add(name, [IMAGE, np.ones(4, np.float32)], IMAGE)
        if name in ("ADD", "SUB", "MUL", "DIV"):
            for activation in ("RELU6", "TANH", "SIGN_BIT"):
                build = One().add(name, [IMAGE, IMAGE], IMAGE, fused_activation_function=activation)
                yield f"{name} float32 fused {activation}", build
    for name in ("ADD", "SUB", "MUL"):
        yield f"{name} int8 narrow output", One("int8").add(name, [IMAGE, IMAGE], IMAGE, scale=1e-5)
        yield f"{name} int8 wide output", One("int8").add(name, [IMAGE, IMAGE], IMAGE, scale=1e4)
    for name in ("ADD", "MUL"):
        for shape in ((8, 8, 4), (1, 1), (1, 4), (8, 4)):
            title = f"{name} float32 with {list(shape)}"
            yield title, One().add(name, [IMAGE, shape], IMAGE)
    for name in COMPARE:
        for dtype in ("float32", "int8", "int32", "int64"):
            yield f"{name} {dtype}", One(dtype).add(name, [IMAGE, IMAGE], IMAGE, dtype="bool", scale=None)
    for name in ("LOGICAL_AND", "LOGICAL_OR"):
        yield f"{name} bool", One("bool").add(name, [IMAGE, IMAGE], IMAGE)
    slopes = np.full((1, 1, 4), 0.1, np.float32)
    yield "PRELU float32", One().add("PRELU", [IMAGE, slopes], IMAGE)
    yield "PRELU float32 computed slopes", One().add("PRELU", [IMAGE, (1, 1, 4)], IMAGE)
    yield "ADD_N float32 2", One().add("ADD_N", [IMAGE, IMAGE], IMAGE)
    yield "ADD_N float32 3", One().add("ADD_N", [IMAGE, IMAGE, IMAGE], IMAGE)
    for b in ((4, 6), (2, 4, 6)):
        yield f"BATCH_MATMUL float32 {b}", One().add("BATCH_MATMUL", [(*b[:-2], 3, 4), b], (*b[:-2], 3, 6))
    branches = [("bool", IMAGE), IMAGE, IMAGE]
    for name in ("SELECT", "SELECT_V2"):
        yield f"{name} float32", One().add(name, branches, IMAGE)
    yield "SELECT_V2 float32 broadcast", One().add("SELECT_V2", [("bool", IMAGE), IMAGE, (8, 8, 4)], IMAGE)


def _reduce() -> Iterator[tuple[str, Network]]:
    for name in REDUCE:
        for dtype in TYPES:
            axes = np.asarray([1, 2], np.int32)
            yield f"{name} {dtype}", One(dtype).add(name, [IMAGE, axes], (1, 4), keep_dims=False)
        for along in ([1], [3], [0], [2, 1]):
            axes = np.asarray(along, np.int32)
            shape = tuple(1 if axis in along else size for axis, size in enumerate(IMAGE))
            yield f"{name} float32 axes {along}", One().add(name, [IMAGE, axes], shape, keep_dims=True)
        yield f"{name} float32 computed axes", One().add(name, [IMAGE, ("int32", (1,))], (1, 1, 8, 4), keep_dims=True)
    for name in ("ARG_MAX", "ARG_MIN"):
        yield f"{name} float32", One().add(name, [IMAGE, np.asarray(3, np.int32)], (1, 8, 8), dtype="int32", scale=None)


def _weights(shape: tuple[int, ...], dtype: str, axis: int | None = None, wrong: bool = False) -> Put:
    def put(build: NetworkBuilder) -> int:
        values = np.ones(shape, dtype)
        if dtype == "float32":
            return build.constant("w", values)
        count = 1 if axis is None else shape[axis]
        scale: Any = 0.01 if axis is None else [0.01 + 0.001 * i for i in range(count)]
        return build.constant("w", values, scale=scale, axis=(axis or 0) if not wrong else 2)

    return put


def _bias(size: int, dtype: str, scales: int = 1) -> Put:
    def put(build: NetworkBuilder) -> int:
        if dtype == "float32":
            return build.constant("b", np.zeros(size, np.float32))
        scale: Any = 0.0005 if scales == 1 else [0.0005 + 0.00005 * i for i in range(scales)]
        return build.constant("b", np.zeros(size, np.int32), scale=scale)

    return put


def _layers() -> Iterator[tuple[str, Network]]:
    padding = {"padding": "SAME"}
    for kind, dtype, weights, axis in (
        ("float32", "float32", "float32", None),
        ("int8 per channel", "int8", "int8", 0),
        ("int8 per tensor", "int8", "int8", None),
        ("uint8", "uint8", "uint8", None),
        ("hybrid per channel", "float32", "int8", 0),
        ("hybrid per tensor", "float32", "int8", None),
    ):
        scales = 6 if axis == 0 and dtype != "float32" else 1
        stored = "float32" if dtype == "float32" else "int32"
        conv = [IMAGE, _weights((6, 3, 3, 4), weights, axis), _bias(6, stored, scales)]
        yield f"CONV_2D {kind}", One(dtype).add("CONV_2D", conv, (1, 8, 8, 6), **padding)
        deep = [IMAGE, _weights((1, 3, 3, 4), weights, 3 if axis == 0 else None), _bias(4, stored, min(scales, 4))]
        yield (
            f"DEPTHWISE_CONV_2D {kind}",
            One(dtype).add("DEPTHWISE_CONV_2D", deep, IMAGE, depth_multiplier=1, **padding),
        )
        dense = [(1, 4), _weights((6, 4), weights, axis), _bias(6, stored, scales)]
        yield f"FULLY_CONNECTED {kind}", One(dtype).add("FULLY_CONNECTED", dense, (1, 6))
        shape = np.asarray((1, 16, 16, 6), np.int32)
        spread = [shape, _weights((6, 2, 2, 4), weights, axis), IMAGE, _bias(6, stored, scales)]
        if kind.startswith(("float32", "int8")):
            yield (
                f"TRANSPOSE_CONV {kind}",
                One(dtype).add(
                    "TRANSPOSE_CONV", spread, (1, 16, 16, 6), padding="VALID", stride_h=2, stride_w=2, version=3
                ),
            )
    weights, bias = _weights((6, 3, 3, 4), "float32"), _bias(6, "float32")
    for activation in ("RELU", "TANH", "SIGN_BIT"):
        build = One().add(
            "CONV_2D", [IMAGE, weights, bias], (1, 8, 8, 6), fused_activation_function=activation, **padding
        )
        yield f"CONV_2D float32 fused {activation}", build
    yield "CONV_2D float32 no bias", One().add("CONV_2D", [IMAGE, weights, None], (1, 8, 8, 6), **padding)
    computed = [IMAGE, (6, 3, 3, 4), bias]
    yield "CONV_2D float32 computed weights", One().add("CONV_2D", computed, (1, 8, 8, 6), **padding)
    grouped = [IMAGE, _weights((6, 3, 3, 2), "float32"), bias]
    yield "CONV_2D float32 grouped", One().add("CONV_2D", grouped, (1, 8, 8, 6), version=6, **padding)
    many = [IMAGE, _weights((1, 3, 3, 8), "float32"), _bias(8, "float32")]
    yield (
        "DEPTHWISE_CONV_2D float32 multiplier 2",
        One().add("DEPTHWISE_CONV_2D", many, (1, 8, 8, 8), depth_multiplier=2, **padding),
    )
    single = [(1, 8, 8, 1), many[1], many[2]]
    yield (
        "DEPTHWISE_CONV_2D float32 multiplier 8 of one channel",
        One().add("DEPTHWISE_CONV_2D", single, (1, 8, 8, 8), depth_multiplier=8, **padding),
    )
    dense = _weights((6, 4), "float32")
    yield "FULLY_CONNECTED float32 no bias", One().add("FULLY_CONNECTED", [(1, 4), dense, None], (1, 6))
    yield "FULLY_CONNECTED float32 computed weights", One().add("FULLY_CONNECTED", [(1, 4), (6, 4), bias], (1, 6))
    yield (
        "FULLY_CONNECTED float32 kept dimensions",
        One().add("FULLY_CONNECTED", [(1, 8, 4), dense, bias], (1, 8, 6), keep_num_dims=True, version=5),
    )
    for name in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        for dtype in ("float32", "int8", "uint8", "int16"):
            yield f"{name} {dtype}", _pool(name, dtype, 2, 2)
        yield f"{name} float32 stride past window", _pool(name, "float32", 2, 3)
        yield f"{name} float32 1x1 stride 2", _pool(name, "float32", 1, 2)
        yield f"{name} float32 fused TANH", _pool(name, "float32", 2, 2, "TANH")


def _pool(name: str, dtype: str, window: int, stride: int, activation: str = "NONE") -> Network:
    size = (8 - window) // stride + 1
    return One(dtype).add(
        name, [IMAGE], (1, size, size, 4), padding="VALID", filter_height=window, filter_width=window,
        stride_h=stride, stride_w=stride, fused_activation_function=activation,
    )  # fmt: skip


def _moves() -> Iterator[tuple[str, Network]]:
    for dtype in ("float32", "int8", "uint8", "int16", "int32"):
        pads = np.asarray([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
        yield f"PAD {dtype}", One(dtype).add("PAD", [IMAGE, pads], (1, 10, 10, 4))
        yield f"RESHAPE {dtype}", One(dtype).add("RESHAPE", [IMAGE, np.asarray((1, 256), np.int32)], (1, 256))
        turn = np.asarray((0, 2, 1, 3), np.int32)
        yield f"TRANSPOSE {dtype}", One(dtype).add("TRANSPOSE", [IMAGE, turn], IMAGE)
        cut = [np.asarray((0, 1, 1, 0), np.int32), np.asarray((1, 4, 4, 4), np.int32)]
        yield f"SLICE {dtype}", One(dtype).add("SLICE", [IMAGE, *cut], (1, 4, 4, 4))
        yield f"CONCATENATION {dtype}", One(dtype).add("CONCATENATION", [IMAGE, IMAGE], (1, 8, 8, 8), axis=3)
        yield (
            f"SPLIT {dtype}",
            One(dtype).add("SPLIT", [np.asarray(3, np.int32), IMAGE], (1, 8, 8, 2), (1, 8, 8, 2), num_splits=2),
        )
        strided = [np.asarray(v, np.int32) for v in ((0, 1, 1, 0), (1, 5, 5, 4), (1, 1, 1, 1))]
        yield f"STRIDED_SLICE {dtype}", One(dtype).add("STRIDED_SLICE", [IMAGE, *strided], (1, 4, 4, 4))
        yield f"PACK {dtype}", One(dtype).add("PACK", [(8, 4), (8, 4)], (2, 8, 4), axis=0, values_count=2)
        yield f"TILE {dtype}", One(dtype).add("TILE", [IMAGE, np.asarray((1, 2, 1, 1), np.int32)], (1, 16, 8, 4))
        if dtype != "int32":
            size = np.asarray((16, 16), np.int32)
            for name in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"):
                yield f"{name} {dtype}", One(dtype).add(name, [IMAGE, size], (1, 16, 16, 4))
        if dtype != "int16":
            yield f"SPACE_TO_DEPTH {dtype}", One(dtype).add("SPACE_TO_DEPTH", [IMAGE], (1, 4, 4, 16), block_size=2)
            yield f"DEPTH_TO_SPACE {dtype}", One(dtype).add("DEPTH_TO_SPACE", [IMAGE], (1, 16, 16, 1), block_size=2)
            yield (
                f"GATHER {dtype}",
                One(dtype).add("GATHER", [IMAGE, np.asarray((0, 1), np.int32)], (1, 2, 8, 4), axis=1),
            )
            yield f"EXPAND_DIMS {dtype}", One(dtype).add("EXPAND_DIMS", [(8, 4), np.asarray(0, np.int32)], (1, 8, 4))
            yield f"SQUEEZE {dtype}", One(dtype).add("SQUEEZE", [(1, 8, 4)], (8, 4), squeeze_dims=(0,))
    yield from _odd_moves()


def _odd_moves() -> Iterator[tuple[str, Network]]:
    for count in (3, 4, 5, 6):
        yield (
            f"CONCATENATION float32 of {count}",
            One().add("CONCATENATION", [IMAGE] * count, (1, 8, 8, 4 * count), axis=3),
        )
    for dtype in ("int8", "uint8"):
        build = One(dtype)
        other = build.input("other", IMAGE, dtype, 0.1)
        yield (
            f"CONCATENATION {dtype} other scale",
            build.add("CONCATENATION", [IMAGE, lambda _, other=other: other], (1, 8, 8, 8), axis=3),
        )
        yield (
            f"RESHAPE {dtype} other scale",
            One(dtype).add("RESHAPE", [IMAGE, np.asarray((1, 256), np.int32)], (1, 256), scale=0.1),
        )
    for count in (1, 2, 4, 8):
        parts = [(1, 8, 8 // count, 4)] * count
        yield (
            f"SPLIT float32 in {count}",
            One().add("SPLIT", [np.asarray(2, np.int32), IMAGE], *parts, num_splits=count),
        )
    sizes = [np.asarray((3, 5), np.int32), np.asarray(2, np.int32)]
    yield "SPLIT_V float32", One().add("SPLIT_V", [IMAGE, *sizes], (1, 8, 3, 4), (1, 8, 5, 4), num_splits=2)
    step = [np.asarray(v, np.int32) for v in ((0, 0, 0, 0), (1, 8, 8, 4), (1, 2, 2, 1))]
    yield "STRIDED_SLICE float32 strides", One().add("STRIDED_SLICE", [IMAGE, *step], (1, 4, 4, 4))
    drop = [np.asarray(v, np.int32) for v in ((0, 0, 0, 0), (1, 8, 8, 4), (1, 1, 1, 1))]
    yield "STRIDED_SLICE float32 shrinks", One().add("STRIDED_SLICE", [IMAGE, *drop], (8, 8, 4), shrink_axis_mask=1)
    rest = [np.asarray((0, 1, 1, 0), np.int32), np.asarray((-1, -1, -1, -1), np.int32)]
    yield "SLICE float32 rest", One().add("SLICE", [IMAGE, *rest], (1, 7, 7, 4))
    flat = [np.asarray((0, 1), np.int32), np.asarray((1, 3), np.int32)]
    yield "SLICE float32 rank 2", One().add("SLICE", [(1, 8), *flat], (1, 3))
    yield "PAD float32 rank 2", One().add("PAD", [(1, 8), np.asarray([[0, 0], [1, 1]], np.int32)], (1, 10))
    pads = np.asarray([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
    for mode in ("REFLECT", "SYMMETRIC"):
        yield f"MIRROR_PAD float32 {mode}", One().add("MIRROR_PAD", [IMAGE, pads], (1, 10, 10, 4), mode=mode)
    yield "PADV2 float32", One().add("PADV2", [IMAGE, pads, np.asarray(1, np.float32)], (1, 10, 10, 4))
    size = np.asarray((16, 16), np.int32)
    for align, half in ((True, False), (False, True)):
        yield (
            f"RESIZE_BILINEAR float32 {align} {half}",
            One().add(
                "RESIZE_BILINEAR",
                [IMAGE, size],
                (1, 16, 16, 4),
                align_corners=align,
                half_pixel_centers=half,
                version=3,
            ),
        )
    yield "TRANSPOSE float32 computed", One().add("TRANSPOSE", [IMAGE, ("int32", (4,))], IMAGE)
    odd = (1, 9, 9, 4)
    yield "UNPACK float32", One().add("UNPACK", [(2, 8, 4)], (8, 4), (8, 4), num=2, axis=0)
    yield "CUMSUM float32", One().add("CUMSUM", [IMAGE, np.asarray(3, np.int32)], IMAGE)
    yield "REVERSE_V2 float32", One().add("REVERSE_V2", [IMAGE, np.asarray([1], np.int32)], IMAGE)
    yield "L2_NORMALIZATION float32", One().add("L2_NORMALIZATION", [odd], odd)
    ends = [np.asarray(4, np.int32), np.asarray(1, np.float32), np.asarray(0, np.float32)]
    yield "ONE_HOT int32", One().add("ONE_HOT", [("int32", (1, 1, 1, 3)), *ends], (1, 1, 1, 3, 4), axis=-1)
    yield "ONE_HOT int32 wide", One().add("ONE_HOT", [("int32", (2, 3)), *ends], (2, 3, 4), axis=-1)
    two = np.asarray([[0, 1], [1, 0]], np.int32)
    yield "GATHER float32 rank 2", One().add("GATHER", [IMAGE, two], (1, 2, 2, 8, 4), axis=1)


def _casts() -> Iterator[tuple[str, Network]]:
    pairs = ["float32", "int32", "bool", "int8", "uint8", "float16", "int64"]
    for read in pairs:
        for written in pairs:
            if read != written:
                codes = {"in_data_type": read, "out_data_type": written}
                build = One(read)
                x = build.input("x", IMAGE, read)
                y = build.tensor("y", IMAGE, written)
                build.op("CAST", [x], [y], **codes)
                yield f"CAST {read} to {written}", build.output(y).build()
    for read, written, scales in (
        ("float32", "int8", (None, 0.1)),
        ("float32", "uint8", (None, 0.1)),
        ("float32", "int16", (None, 0.1)),
        ("int8", "int8", (0.1, 0.05)),
        ("int8", "int8", (100.0, 0.05)),
        ("uint8", "int8", (0.1, 0.1)),
        ("int8", "uint8", (0.1, 0.1)),
        ("int16", "int8", (0.1, 0.1)),
    ):
        build = One(read)
        x, y = build.input("x", IMAGE, read, scales[0]), build.tensor("y", IMAGE, written, scales[1])
        build.op("QUANTIZE", [x], [y])
        yield f"QUANTIZE {read} to {written} {scales}", build.output(y).build()
    for read in ("int8", "uint8", "int16", "float16"):
        build = One(read)
        x, y = build.input("x", IMAGE, read, scale_of(read)), build.tensor("y", IMAGE, "float32")
        build.op("DEQUANTIZE", [x], [y], version=3 if read in ("int16", "float16") else None)
        yield f"DEQUANTIZE {read}", build.output(y).build()
    for reader in ("CONV_2D", "ARG_MAX"):
        yield f"DEQUANTIZE float16 constant for {reader}", _half(reader)


def _half(reader: str) -> Network:
    build = One()
    stored = build.constant("w", np.ones((6, 3, 3, 4), np.float16))
    weights = build.tensor("weights", (6, 3, 3, 4), "float32")
    build.op("DEQUANTIZE", [stored], [weights], version=3)
    if reader == "ARG_MAX":
        axis = build.constant("axis", np.asarray(3, np.int32))
        return build.output(build.op(reader, [weights, axis], [build.tensor("y", (6, 3, 3), "int32")])).build()
    x, y = build.input("x", IMAGE), build.tensor("y", (1, 8, 8, 6))
    build.op("CONV_2D", [x, weights, build.constant("b", np.zeros(6, np.float32))], [y], padding="SAME")
    return build.output(y).build()
