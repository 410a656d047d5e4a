"""Segments give together what the whole gives, run by TFLite's own kernels."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.segment import crossing, segments
from edgecompile.ir.writer import write
from edgecompile.libs import litert


def residual() -> Network:
    """Two branches of a RELU6: the second skips an operator, so that a cut may cross both; two outputs."""
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "float32")
    names = ("a", "b", "sum", "last")
    a, b, total, last = (build.tensor(name, (1, 4), "float32") for name in names)
    build.op("RELU6", [x], [a])
    build.op("RELU", [a], [b])
    build.op("ADD", [a, b], [total], fused_activation_function="NONE")
    build.op("LOGISTIC", [total], [last])
    return build.output(last).output(a).build()


def test_what_crosses_a_cut_is_what_is_made_before_and_wanted_after() -> None:
    main = residual().main

    names = [[main.tensors[tensor].name for tensor in crossing(main, position)] for position in range(5)]

    assert names == [[], ["a"], ["a", "b"], ["a", "sum"], ["a", "last"]]


@pytest.mark.parametrize("cuts", [(1,), (2,), (3,), (1, 2), (1, 2, 3)], ids=str)
def test_segments_in_a_row_give_what_the_whole_gives(cuts: tuple[int, ...]) -> None:
    runtime = litert.choose("tflite")
    if not runtime.available:
        pytest.skip("needs a TFLite interpreter (tflite-runtime or ai-edge-litert)")
    network = residual()
    x = np.array([[-1.0, 0.5, 3.0, 9.0]], dtype=np.float32)
    whole = litert.invoke(write(network), (x,), runtime=runtime).real()
    known = {"x": x}

    for part in segments(network, cuts):
        # Written and read again, as the device gets it.
        main = read(write(part)).main
        given = tuple(known[main.tensors[tensor].name] for tensor in main.inputs)
        found = litert.invoke(write(part), given, runtime=runtime).real()
        known |= {main.tensors[tensor].name: value for tensor, value in zip(main.outputs, found, strict=True)}

    np.testing.assert_array_equal(known["last"], whole[0])
    np.testing.assert_array_equal(known["a"], whole[1])


def test_a_segment_keeps_only_its_own_constants() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 8), "float32")
    for number in range(2):
        w = build.constant(f"w{number}", np.full((8, 8), number, np.float32))
        y = build.tensor(f"y{number}", (1, 8), "float32")
        build.op("FULLY_CONNECTED", [x, w], [y])
        x = y

    first, second = segments(build.output(x).build(), (1,))

    assert [tensor.name for tensor in first.main.tensors] == ["x", "w0", "y0"]
    assert [tensor.name for tensor in second.main.tensors] == ["y0", "w1", "y1"]
