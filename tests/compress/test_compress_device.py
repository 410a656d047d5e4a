"""Comparing a simulation with interpreters: one that dies on a model leaves the figure to another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import quantized_networks

from edgecompile.compress import device
from edgecompile.compress.context import Samples
from edgecompile.compress.origin import quantized
from edgecompile.compress.passes.cluster import Cluster
from edgecompile.compress.run import outputs
from edgecompile.compress.subject import Subject
from edgecompile.convert.requantize import requantize
from edgecompile.core.errors import rejected
from edgecompile.ir.build import NetworkBuilder
from edgecompile.libs import litert

pytestmark = pytest.mark.tensorflow


def test_that_nothing_was_compared_is_told() -> None:
    told = device.diagnose(())

    assert (told.code, told.severity.value) == ("EC342", "warning")


def test_an_interpreter_that_dies_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.1)
    network = build.output(build.op("RELU", [x], [build.tensor("y", (1, 4), "int8", scale=0.1)])).build()
    samples = Samples(x=(np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4),))
    asked = device._compared

    def dying(*given: object) -> device.Agreement:
        runtime = given[3]
        assert isinstance(runtime, litert.RuntimeInfo)
        if runtime.name == "tflite-runtime":
            raise rejected("EC704", "died on this model")
        return asked(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(device, "_compared", dying)

    found = device.agreement(network, samples)

    assert [one.resolver for one in found] == ["default", "reference"]
    assert all("tflite-runtime" not in one.by for one in found)
    assert all(one.whole == 1.0 for one in found)


def test_pixels_are_values_to_an_input_of_their_own_type_not_its_integers() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "uint8", scale=0.0625)
    network = build.output(build.op("RELU", [x], [build.tensor("y", (1, 4), "uint8", scale=0.0625)])).build()
    pixels = np.array([[0, 3, 7, 15], [1, 2, 4, 8]], np.uint8)

    found = device.agreement(network, Samples(x=(pixels,)))
    (scored,) = outputs(Subject(network=network), Samples(x=(pixels,)))

    assert all(one.whole == 1.0 for one in found)
    np.testing.assert_array_equal(scored, pixels.astype(np.float32))


def test_shared_weights_behind_faint_signals_are_what_the_device_computes() -> None:
    build, rng = NetworkBuilder(), np.random.default_rng(0)
    x = build.input("x", (1, 4, 4, 8))
    weights = build.constant("w", rng.normal(size=(12, 1, 1, 8)).astype(np.float32) * 1e-2)
    # The bias of a hard sigmoid, beside products of 1e-9.
    bias = build.constant("b", np.full(12, 3.0, np.float32))
    gate = build.op(
        "CONV_2D", [x, weights, bias], [build.tensor("gate", (1, 4, 4, 12))], fused_activation_function="RELU6"
    )
    network = build.output(gate).build()
    samples = Samples(x=(rng.normal(size=(32, 4, 4, 8)).astype(np.float32) * 1e-7,))
    given = quantized_networks.context(False, calibration=samples, train=None)
    scheme = quantized_networks.INT8
    faint = replace(given, quantize=lambda one: requantize(one, scheme, samples.x, "model"))
    shared = Cluster(k=16, epochs=0).run(Subject(network=network), faint)

    made = quantized(shared, faint)

    found = device.agreement(made.network, samples)
    (answers,) = outputs(made, samples)
    assert found and all(one.whole >= 0.99 for one in found)
    # Without room the bias is cut to a thousandth of itself, and products on top of it overflow.
    np.testing.assert_allclose(answers, 3.0, atol=0.02)


def test_dense_layers_of_many_axes_are_not_held_against_a_kernel_that_leaves_some_unwritten() -> None:
    build, rng = NetworkBuilder(), np.random.default_rng(0)
    x = build.input("x", (1, 12, 8))
    weights = build.constant("w", rng.normal(size=(16, 8)).astype(np.float32))
    dense = build.op("FULLY_CONNECTED", [x, weights, -1], [build.tensor("y", (1, 12, 16))], keep_num_dims=True)
    network = build.output(dense).build()
    samples = Samples(x=(rng.normal(size=(16, 12, 8)).astype(np.float32),))
    made = requantize(network, quantized_networks.INT8, samples.x, "model")

    found = device.agreement(made, samples)

    assert [one.resolver for one in found] == ["default", "reference"]
    assert all(one.each >= 0.99 for one in found)
