"""Operators without an integer form become others that give the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.convert.integer_forms import with_integer_forms
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.libs import litert

# float32 sums of up to 54 products in another order.
TOLERANCE = 1e-5


def _conv_3d(padding: str, stride: int, dilation: int, activation: str) -> Network:
    build = NetworkBuilder()
    draw = np.random.default_rng(3)
    x = build.input("x", (1, 7, 6, 5, 2))
    w = build.constant("w", draw.normal(size=(3, 3, 3, 2, 4)).astype(np.float32))
    b = build.constant("b", draw.normal(size=4).astype(np.float32))
    span = 2 * dilation + 1
    sizes = [-(-size // stride) if padding == "SAME" else -(-(size - span + 1) // stride) for size in (7, 6, 5)]
    y = build.tensor("y", (1, *sizes, 4))
    build.op(
        "CONV_3D",
        [x, w, b],
        [y],
        padding=padding,
        **{f"stride_{axis}": stride for axis in "dhw"},
        **{f"dilation_{axis}_factor": dilation for axis in "dhw"},
        fused_activation_function=activation,
    )
    return build.output(y).build()


def _outputs(network: Network, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    runtime = litert.choose("tflite")
    return litert.invoke(write(network), (x,), runtime=runtime, resolver="default", real=True).real()[0]


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("stride", "dilation", "activation"), [(1, 1, "RELU"), (2, 1, "NONE"), (1, 2, "NONE")])
def test_a_convolution_of_volumes_becomes_one_of_planes(
    padding: str, stride: int, dilation: int, activation: str
) -> None:
    network = _conv_3d(padding, stride, dilation, activation)
    x = np.random.default_rng(0).normal(size=(3, 7, 6, 5, 2)).astype(np.float32)

    changed = with_integer_forms(network)

    assert "CONV_3D" not in [operator.name for operator in changed.main.operators]
    assert np.allclose(_outputs(changed, x), _outputs(network, x), rtol=TOLERANCE, atol=TOLERANCE)


def test_a_square_becomes_a_product() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4))
    network = build.output(build.op("SQUARE", [x], [build.tensor("y", (1, 4))])).build()

    changed = with_integer_forms(network)

    assert [(operator.name, operator.inputs) for operator in changed.main.operators] == [("MUL", (0, 0))]


def test_elu_is_computed_from_its_two_halves() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 64))
    network = build.output(build.op("ELU", [x], [build.tensor("y", (1, 64))])).build()
    samples = np.linspace(-6, 6, 64, dtype=np.float32)[None]

    changed = with_integer_forms(network)

    assert "ELU" not in [operator.name for operator in changed.main.operators]
    assert np.allclose(_outputs(changed, samples), _outputs(network, samples), rtol=TOLERANCE, atol=TOLERANCE)


def test_a_network_with_integer_forms_stays_what_it_is() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4))
    network = build.output(build.op("RELU", [x], [build.tensor("y", (1, 4))])).build()

    assert with_integer_forms(network) is network


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", ["GRU", "SimpleRNN"])
def test_a_loop_is_unrolled_with_equal_outputs(kind: str) -> None:
    from edgecompile.convert.unroll import unroll
    from edgecompile.libs.keras import tf_keras

    keras = tf_keras()
    given = keras.Input((5, 3))
    model = keras.Model(given, getattr(keras.layers, kind)(4, name="loop")(given))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    before = np.asarray(model(x))

    notes = unroll(model)

    assert [(note.code, note.location.layer if note.location else None) for note in notes] == [("EC415", "loop")]
    assert np.allclose(np.asarray(model(x)), before, atol=1e-6)
    assert unroll(model) == ()


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", ["GRU", "Conv3D", "ELU", "ThresholdedReLU"])
def test_such_models_become_integers_throughout(kind: str) -> None:
    from edgecompile.convert.convert import convert
    from edgecompile.convert.unroll import unroll
    from edgecompile.core.recipe import Scheme
    from edgecompile.ir import reader
    from edgecompile.libs.keras import tf_keras

    keras = tf_keras()
    shapes = {"GRU": (5, 3), "Conv3D": (5, 5, 5, 2)}
    given = keras.Input(shapes.get(kind, (8,)))
    layers = {"GRU": lambda: keras.layers.GRU(4), "Conv3D": lambda: keras.layers.Conv3D(4, 3)}
    layer = layers.get(kind, lambda: getattr(keras.layers, kind)())()
    model = keras.Model(given, layer(given))
    samples = np.random.default_rng(0).normal(size=(8, *given.shape[1:])).astype(np.float32)
    unroll(model)

    network = reader.read(convert(model, Scheme(numerics="int8", io_dtype="int8"), (samples,), 0))

    assert {tensor.dtype for tensor in network.main.tensors} <= {"int8", "int32", "bool"}
