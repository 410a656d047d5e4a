"""The least runtime: versions of operators against releases, lowering where settings allow it, positions in int32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.config.profiles import load
from edgecompile.core.errors import BadInputError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.runtimes import OLDEST, first_runtime, last_version, least_runtime
from edgecompile.ir.writer import write
from edgecompile.legalize.check import check
from edgecompile.legalize.joins import shattered
from edgecompile.legalize.rewrites import argmax_int32
from edgecompile.legalize.runtime import lower_for, parse_release, too_new
from edgecompile.libs import litert

TARGET = load("android-cpu")


def dense(version: int, scales: Any = 0.01) -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", 0.1)
    weights = build.constant("w", np.ones((2, 4), np.int8), scale=scales)
    bias = build.constant("b", np.zeros(2, np.int32), scale=0.001)
    y = build.op("FULLY_CONNECTED", [x, weights, bias], [build.tensor("y", (1, 2), "int8", 0.1)], version=version)
    return build.output(y).build()


@pytest.mark.parametrize(
    ("operator", "version", "release"),
    [
        ("CONV_2D", 3, OLDEST),
        ("CONV_2D", 5, (2, 4)),
        ("FULLY_CONNECTED", 12, (2, 17)),
        ("FULLY_CONNECTED", 99, (2, 18)),
        ("GELU", 1, (2, 9)),
        ("RESHAPE", 1, OLDEST),
    ],
)
def test_an_operators_version_tells_the_release(operator: str, version: int, release: tuple[int, int]) -> None:
    assert first_runtime(operator, version) == release


@pytest.mark.parametrize(
    ("operator", "last"),
    [
        pytest.param("FILL", 3, id="of 2.5"),
        pytest.param("CONV_2D", 5, id="not those of 2.9"),
        pytest.param("SOFTMAX", 3, id="none after 2.3"),
        pytest.param("CAST", 1, id="the first listed is newer"),
        pytest.param("GELU", 0, id="an operator that came later"),
        pytest.param("L2_NORMALIZATION", 2, id="all before 2.0"),
        pytest.param("RESHAPE", 1, id="one only"),
    ],
)
def test_a_release_reads_versions_up_to_one(operator: str, last: int) -> None:
    assert last_version(operator, (2, 5)) == last


def test_a_network_needs_what_its_newest_operator_needs() -> None:
    assert least_runtime(dense(12)) == ((2, 17), (0,))
    assert least_runtime(dense(4)) == (OLDEST, ())


@pytest.mark.parametrize("text", ["2.14", "2.14.0", " 2.14 "])
def test_a_release_has_two_numbers(text: str) -> None:
    assert parse_release(text) == (2, 14)


@pytest.mark.parametrize("text", ["3", "latest", "2.x", "0.9", "", "2.14.0.1", "²·³"])
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_release(text)

    assert caught.value.diagnostics[0].code == "EC761"


def test_a_version_that_is_higher_than_its_settings_need_is_lowered() -> None:
    lowered, count = lower_for(dense(12), TARGET, (2, 3))

    assert (count, lowered.main.operators[0].version) == (1, 4)
    assert too_new(lowered, (2, 3), "m.tflite") is None
    assert lower_for(dense(12), TARGET, (2, 18))[1] == 0


def test_what_needs_its_version_is_refused_with_the_release_that_brought_it() -> None:
    kept, count = lower_for(dense(12, scales=(0.01, 0.02)), TARGET, (2, 3))

    error = too_new(kept, (2, 3), "m.tflite")

    assert count == 0
    assert error is not None
    (diagnostic,) = error.diagnostics
    assert (diagnostic.code, error.exit_code) == ("EC758", 1)
    assert diagnostic.message == "the model needs TensorFlow Lite 2.17, and the app may run on 2.3"
    assert diagnostic.notes[0] == "`FULLY_CONNECTED` version 12 (0) came with 2.17"


def argmax(reader: str | None = None) -> Network:
    build = NetworkBuilder()
    x = build.input("x", (2, 5))
    axis = build.constant("axis", np.asarray(1, np.int32))
    y = build.op("ARG_MAX", [x, axis], [build.tensor("y", (2,), "int64")], output_type="int64")
    if reader == "CAST":
        codes = {"in_data_type": "int64", "out_data_type": "float32"}
        y = build.op("CAST", [y], [build.tensor("z", (2,))], **codes)
    elif reader is not None:
        y = build.op(reader, [y, y], [build.tensor("z", (2,), "int64")])
    return build.output(y).build()


@pytest.mark.parametrize("reader", [None, "CAST"], ids=["given to the caller", "cast"])
def test_positions_become_int32_with_equal_values(reader: str | None) -> None:
    before = argmax(reader)

    after, words = argmax_int32.run(before, load("android-nnapi"))

    assert words == ["ARG_MAX"]
    assert after.main.tensors[after.main.operators[0].outputs[0]].dtype == "int32"
    assert check(after, load("android-nnapi"), "").placements[0].where == "nnapi"
    x = np.random.default_rng(0).normal(size=(8, 2, 5)).astype(np.float32).reshape(8, 2, 5)
    runtime = litert.choose("tflite")
    if not runtime.available:
        pytest.skip(f"no TensorFlow Lite interpreter: {runtime.why_not}")
    old, new = (litert.invoke(write(found), [x[:, :, :]], runtime=runtime).arrays[0] for found in (before, after))
    np.testing.assert_array_equal(old, new)


def test_positions_that_are_computed_with_keep_their_type() -> None:
    network = argmax("ADD")

    assert argmax_int32.run(network, load("android-nnapi")) == (network, [])


def test_dynamic_range_that_falls_into_parts_is_told_with_what_would_be_left() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 8, 8, 4))
    for position in range(3):
        weights = build.constant(f"w{position}", np.ones((1, 3, 3, 4), np.int8), scale=0.1, axis=3)
        bias = build.constant(f"b{position}", np.zeros(4, np.float32))
        x = build.op("RELU", [x], [build.tensor(f"r{position}", (1, 8, 8, 4))])
        y = build.tensor(f"d{position}", (1, 8, 8, 4))
        x = build.op("DEPTHWISE_CONV_2D", [x, weights, bias], [y], version=6, padding="SAME", depth_multiplier=1)
    network = build.output(x).build()
    nnapi = load("android-nnapi")

    (diagnostic,) = shattered(network, check(network, nnapi, ""), nnapi, "m.tflite")

    assert diagnostic.code == "EC759"
    assert diagnostic.message == "dynamic range falls into 3 parts on nnapi"
    assert diagnostic.notes == ("operators with float inputs and 8-bit weights cut it: 1, 3, 5", "without: 1")
