"""A float network quantized by TensorFlow's quantizer is what a conversion of the Keras model gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_models import image_model, many_ends, noise, of_layers, run

from edgecompile.convert.convert import convert
from edgecompile.convert.requantize import requantize
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.recipe import Scheme
from edgecompile.ir import reader, writer
from edgecompile.ir.network import Network
from edgecompile.libs.keras import tf_keras

pytestmark = pytest.mark.tensorflow

FLOAT = Scheme(numerics="float32", io_dtype="float32")


def residual_model() -> Any:
    """ResNet-8's pieces: convolutions with batch norm, a strided shortcut, ADD, pooling."""
    keras = tf_keras()
    layers = keras.layers
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3), name="image")
    first = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(image)))
    second = layers.BatchNormalization()(layers.Conv2D(16, 3, strides=2, padding="same")(first))
    shortcut = layers.Conv2D(16, 1, strides=2, padding="same")(first)
    joined = layers.ReLU()(layers.Add()([second, shortcut]))
    flat = layers.Flatten()(layers.AveragePooling2D(4)(joined))
    return keras.Model(image, layers.Dense(5, activation="softmax", name="scores")(flat), name="residual")


def wide_model() -> Any:
    """Weights of more than 1,024 elements, which `dynamic` makes integers."""
    layers = tf_keras().layers
    return of_layers((6, 6, 8), layers.Conv2D(32, 3, activation="relu"), layers.Flatten(), layers.Dense(4))


def tables_model() -> Any:
    layers = tf_keras().layers
    return of_layers((8,), layers.Embedding(200, 32), layers.Flatten(), layers.Dense(4), dtype="int32")


def contents(network: Network) -> list[Any]:
    """Operators and constants without names, in the order of execution."""
    main = network.main
    found: list[Any] = []
    for operator in main.operators:
        ends = []
        for index in (*operator.inputs, *operator.outputs):
            if index < 0:
                continue
            tensor = main.tensors[index]
            ends.append((str(tensor), tensor.quantization, bytes(tensor.buffer.data)))
        found.append((operator.name, operator.version, dict(operator.options), ends))
    return found


def floats(model: Any) -> Network:
    return reader.read(convert(model, FLOAT, None, 0))


@pytest.mark.parametrize(
    "make, shapes",
    [
        pytest.param(residual_model, [(8, 8, 3)], id="residual"),
        pytest.param(image_model, [(8, 8, 3)], id="image"),
        pytest.param(many_ends, [(3,), (3,), (2,)], id="many-ends"),
    ],
)
@pytest.mark.parametrize(
    "scheme",
    [
        Scheme(numerics="int8", io_dtype="int8"),
        Scheme(numerics="int8", io_dtype="int8", calibration="mse", per_tensor_dense=True),
        Scheme(numerics="int16x8", io_dtype="int16"),
        Scheme(numerics="dynamic", io_dtype="float32"),
    ],
    ids=lambda scheme: scheme.label,
)
def test_an_untouched_network_becomes_what_conversion_gives(
    make: Callable[[], Any], shapes: list[tuple[int, ...]], scheme: Scheme
) -> None:
    model = make()
    samples = tuple(noise(9, *shape, seed=seed) for seed, shape in enumerate(shapes))

    made = requantize(floats(model), scheme, samples, model.name)

    whole = reader.read(convert(model, scheme, samples, 0))
    assert contents(made) == contents(whole)
    assert _ends(made) == _ends(whole)


@pytest.mark.parametrize("io_dtype", ["uint8", "float32"])
def test_ends_of_other_dtypes_keep_names_order_and_values(io_dtype: str) -> None:
    model, samples = many_ends(), (noise(9, 3), noise(9, 3, seed=1) * 100, noise(9, 2, seed=2))
    scheme = Scheme(numerics="int8", io_dtype=io_dtype)

    made = writer.write(requantize(floats(model), scheme, samples, "many"))

    whole = convert(model, scheme, samples, 0)
    assert _ends(reader.read(made)) == _ends(reader.read(whole))
    given = [array[:1] for array in samples]
    for ours, theirs in zip(run(made, given), run(whole, given), strict=True):
        assert (ours == theirs).all()


@pytest.mark.parametrize("numerics", ["float16", "dynamic"])
@pytest.mark.parametrize("make, shape", [(wide_model, (6, 6, 8)), (tables_model, (8,))], ids=["wide", "tables"])
def test_weights_alone_in_fewer_bytes_give_what_the_converter_gives(
    make: Callable[[], Any], shape: tuple[int, ...], numerics: str
) -> None:
    model, scheme = make(), Scheme(numerics=numerics, io_dtype="float32")

    made = requantize(floats(model), scheme, None)

    whole = convert(model, scheme, None, 0)
    stored = sorted((str(t), bytes(t.buffer.data)) for t in made.main.tensors if t.is_constant)
    assert stored == sorted((str(t), bytes(t.buffer.data)) for t in reader.read(whole).main.tensors if t.is_constant)
    sample = (np.abs(noise(1, *shape)) * 50).astype(np.int32) if make is tables_model else noise(1, *shape)
    assert (run(writer.write(made), [sample])[0] == run(whole, [sample])[0]).all()


def test_float32_is_left_as_it_is() -> None:
    network = floats(image_model())

    assert requantize(network, FLOAT, None) is network


def test_operators_named_stay_in_float_between_conversions() -> None:
    network = floats(image_model())
    (dense,) = [operator for operator in network.main.operators if operator.name == "FULLY_CONNECTED"]
    name = network.main.tensors[dense.outputs[0]].name

    made = requantize(network, Scheme(numerics="int8", io_dtype="int8"), (noise(9, 8, 8, 3),), "model", (name,))

    kinds = {operator.name: made.main.tensors[operator.outputs[0]].dtype for operator in made.main.operators}
    assert kinds["FULLY_CONNECTED"] == "float32"
    assert kinds["CONV_2D"] == kinds["DEPTHWISE_CONV_2D"] == kinds["SOFTMAX"] == "int8"


@pytest.mark.parametrize(
    "scheme, samples, code",
    [
        (Scheme(numerics="int8", io_dtype="int16"), 4, "EC401"),
        (Scheme(numerics="int8", io_dtype="int8"), 0, "EC402"),
    ],
)
def test_what_conversion_refuses_is_refused(scheme: Scheme, samples: int, code: str) -> None:
    with pytest.raises(EdgecompileError, match=code):
        requantize(floats(image_model()), scheme, (noise(samples, 8, 8, 3),))


def _ends(network: Network) -> list[tuple[str, str]]:
    main = network.main
    return [(main.tensors[index].name, str(main.tensors[index])) for index in (*main.inputs, *main.outputs)]
