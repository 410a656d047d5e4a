"""Comparing a simulation with interpreters: one that dies on a model leaves the figure to another."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.compress import device
from edgecompile.compress.context import Samples
from edgecompile.compress.run import outputs
from edgecompile.compress.subject import Subject
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
