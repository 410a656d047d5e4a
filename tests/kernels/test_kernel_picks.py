"""Operators that gather, resize, mirror and deal elements as C against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Make, T, one, shape_of
from kernel_run import Answers, assert_equal, needs_gcc, run_all

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

pytestmark = needs_gcc
A = (2, 5, 6, 3)


def move(name: str, result: tuple[int, ...], *constants: object, dtype: str = "int8", **options: object) -> Make:
    scale = 0.1 if dtype in ("int8", "int16") else None
    zero = -3 if dtype == "int8" else 0
    inputs = [T(A, dtype, scale, zero), *(shape_of(values) for values in constants)]
    return one(name, inputs, [T(result, dtype, scale, zero)], **options)


def deal(name: str, source: tuple[int, ...], result: tuple[int, ...], *constants: object, **options: object) -> Make:
    inputs = [T(source, "int8", 0.1, 9), *(shape_of(values) for values in constants)]
    return one(name, inputs, [T(result, "int8", 0.1, 9)], **options)


def gathered(axis: int, dtype: str = "int8") -> Make:
    """By indices that another operator finds."""

    def make() -> Network:
        build = NetworkBuilder()
        scale = {"scale": 0.1, "zero_point": 4} if dtype == "int8" else {}
        x = build.input("x", (5, 5, 5), dtype, **scale)
        where = build.op(
            "ARG_MIN", [x, build.constant("a", np.array(1, np.int32))], [build.tensor("w", (5, 5), "int32")]
        )
        shape = (5, 5, 5, 5)
        y = build.op("GATHER", [x, where], [build.tensor("y", shape, dtype, **scale)], axis=axis)
        return build.output(where, y).build()

    return make


RESIZES = {
    "up": ((5, 6), (9, 14)),
    "down": ((5, 6), (3, 2)),
    "twice": ((5, 6), (10, 12)),
    "to one": ((5, 6), (1, 1)),
    "as it is": ((5, 6), (5, 6)),
}
WAYS = {
    "": {},
    ", aligned corners": {"align_corners": True},
    ", pixel centers": {"half_pixel_centers": True},
}
CASES: dict[str, Make] = {
    "gather channels": move("GATHER", (2, 5, 6, 4), [2, 0, 0, 1], axis=3),
    "gather rows, backwards axis": move("GATHER", (2, 5, 2, 3), [5, 1], axis=-2),
    "gather images, a matrix of indices": move("GATHER", (2, 2, 5, 6, 3), [[1, 0], [0, 0]], axis=0, dtype="float32"),
    "gather, computed": gathered(1),
    "gather, computed, last axis": gathered(2, "float32"),
    "mirror": move("MIRROR_PAD", (2, 8, 9, 3), [[0, 0], [1, 2], [3, 0], [0, 0]], mode="REFLECT"),
    "mirror, symmetric": move("MIRROR_PAD", (3, 8, 9, 4), [[1, 0], [1, 2], [3, 0], [0, 1]], mode="SYMMETRIC"),
    "mirror, float32": move("MIRROR_PAD", (2, 7, 8, 3), [[0, 0], [1, 1], [1, 1], [0, 0]], dtype="float32"),
    "broadcast": deal("BROADCAST_TO", (1, 5, 1, 3), (2, 5, 4, 3), [2, 5, 4, 3]),
    "broadcast to more axes": deal("BROADCAST_TO", (5, 1), (2, 5, 4), [2, 5, 4]),
    "space to depth": deal("SPACE_TO_DEPTH", (2, 4, 6, 3), (2, 2, 3, 12), block_size=2),
    "depth to space": deal("DEPTH_TO_SPACE", (2, 2, 3, 12), (2, 4, 6, 3), block_size=2),
    "space to batch": deal("SPACE_TO_BATCH_ND", (2, 4, 6, 3), (12, 2, 2, 3), [2, 3], [[0, 0], [0, 0]]),
    "space to batch, padded": deal("SPACE_TO_BATCH_ND", (1, 5, 6, 3), (6, 4, 3, 3), [2, 3], [[2, 1], [1, 2]]),
    "batch to space": deal("BATCH_TO_SPACE_ND", (12, 2, 2, 3), (2, 4, 6, 3), [2, 3], [[0, 0], [0, 0]]),
    "batch to space, cut": deal("BATCH_TO_SPACE_ND", (4, 3, 4, 2), (1, 5, 5, 2), [2, 2], [[1, 0], [2, 1]]),
    **{
        f"nearest, {size}{way}": move("RESIZE_NEAREST_NEIGHBOR", (2, *after, 3), after, **options)
        for size, (_, after) in RESIZES.items()
        for way, options in WAYS.items()
    },
    "nearest, float32": move("RESIZE_NEAREST_NEIGHBOR", (2, 7, 9, 3), (7, 9), dtype="float32"),
    **{
        f"bilinear, {size}{way}, {dtype}": move("RESIZE_BILINEAR", (2, *after, 3), after, dtype=dtype, **options)
        for size, (_, after) in RESIZES.items()
        for way, options in WAYS.items()
        for dtype in ("int8", "float32")
    },
    **{
        f"{name}, {dtype}, axis {axis}": one(
            name,
            [T(A, dtype, 0.1 if dtype == "int8" else None), T((), "int32", values=axis)],
            [T(tuple(size for i, size in enumerate(A) if i != axis % 4), "int32")],
            output_type="int32",
        )
        for name in ("ARG_MAX", "ARG_MIN")
        for dtype in ("int8", "float32")
        for axis in (0, 2, -1)
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("picks")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_picks_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 1, "the case shows nothing: outputs do not differ"
