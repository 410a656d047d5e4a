"""Sites: which constants of a network are weights, and how they are read and written."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.compress.sites import as_rows, from_rows, matched, sites_of, weights_of, with_constants
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network


def _network(dtype: str = "float32") -> Network:
    build = NetworkBuilder()
    scale = {"scale": 0.5} if dtype == "int8" else {}
    x = build.input("x", (1, 4, 4, 2), dtype, **scale)
    w = build.constant(f"w_{dtype}", np.arange(3 * 2 * 2).reshape(3, 1, 2, 2).astype(dtype), **scale)
    y = build.tensor("conv", (1, 4, 4, 3), dtype, **scale)
    build.op("CONV_2D", [x, w, -1], [y], padding="SAME")
    d = build.constant(f"d_{dtype}", np.ones((1, 3, 3, 3), dtype), **scale)
    z = build.tensor("depthwise", (1, 4, 4, 3), dtype, **scale)
    build.op("DEPTHWISE_CONV_2D", [y, d, -1], [z], padding="SAME")
    u = build.tensor("again", (1, 4, 4, 3), dtype, **scale)
    build.op("DEPTHWISE_CONV_2D", [z, d, -1], [u], padding="SAME")
    return build.output(u).build()


def test_a_tensor_that_two_operators_read_is_one_site() -> None:
    sites = sites_of(_network())

    assert [(site.key, site.operators, site.axis) for site in sites] == [
        ("conv", (0,), 0),
        ("depthwise", (1, 2), 3),
    ]


def test_sites_are_found_again_in_the_quantized_network() -> None:
    found = matched(_network(), _network("int8"))

    assert {key: site.names for key, site in found.items()} == {
        "conv": ("conv",),
        "depthwise": ("depthwise", "again"),
    }


def test_new_weights_replace_the_old_and_nothing_else() -> None:
    network = _network()
    site = sites_of(network)[0]

    changed = with_constants(network, {site.weights: weights_of(network, site) * 2})

    assert weights_of(changed, site).tolist() == (weights_of(network, site) * 2).tolist()
    assert weights_of(changed, sites_of(changed)[1]).tolist() == weights_of(network, sites_of(network)[1]).tolist()


@pytest.mark.parametrize("axis", [0, 3, None])
def test_rows_come_back_as_they_were(axis: int | None) -> None:
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)

    rows = as_rows(array, axis)

    assert rows.shape == ((array.shape[axis], -1)[0] if axis is not None else 1, rows.size // len(rows))
    assert from_rows(rows, array.shape, axis).tolist() == array.tolist()


@pytest.mark.parametrize("end", ["QUANTIZE", "DEQUANTIZE"])
def test_a_layer_whose_result_is_converted_at_the_end_is_found_by_the_output(end: str) -> None:
    dtype = {"QUANTIZE": "uint8", "DEQUANTIZE": "float32"}[end]
    floats, build = NetworkBuilder(), NetworkBuilder()
    x = floats.input("x", (1, 2), "float32")
    y = floats.tensor("y", (1, 2), "float32")
    floats.op("FULLY_CONNECTED", [x, floats.constant("w", np.eye(2, dtype=np.float32))], [y])
    x = build.input("x", (1, 2), "int8", scale=0.5)
    inner = build.tensor("y1", (1, 2), "int8", scale=0.5)
    build.op("FULLY_CONNECTED", [x, build.constant("q", np.eye(2, dtype=np.int8), scale=0.5)], [inner])
    outer = build.tensor("y", (1, 2), dtype, **({"scale": 0.5} if dtype == "uint8" else {}))
    build.op(end, [inner], [outer])
    integers = build.output(outer).build()

    assert matched(floats.output(y).build(), integers) == {"y": sites_of(integers)[0]}
