"""A Keras 3 model and its tf_keras twin compute the same, with every variable randomized."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bridge_cases import FURTHER, NAMED, Builder

from edgecompile.core.errors import BadInputError
from edgecompile.frontend.bridge import compare as comparison
from edgecompile.frontend.bridge.carry import carry
from edgecompile.frontend.bridge.compare import LIMIT, compare, random_inputs, relative_difference
from edgecompile.frontend.bridge.cross import Crossed, cross
from edgecompile.libs.keras import keras3, tf_keras

pytestmark = pytest.mark.tensorflow

# Has an open shape, which only the check before the bridge refuses.
OPEN_SHAPE = "dynamic H,W (None,None,3)"
# The source computes in float16 or bfloat16 (relative spacing 2^-10 and 2^-7), its twin in float32.
HALF_PRECISION = 0.02
# Twins need no Keras 3 at run time; these layers have none, or are the user's own.
HOSTED = {
    *("custom layer", "subclassed model", "RMSNormalization", "GroupQueryAttention", "AdaptiveAveragePooling2D"),
    *("SpectralNormalization", "TimeDistributed(nested model)", "Resizing(pad_to_aspect_ratio)"),
}


def randomize(model: Any) -> None:
    """Every variable takes random values, batch-norm statistics included; none keeps what it was initialized with."""
    generator = np.random.default_rng(7)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if "int" in variable.dtype:
            continue
        if variable.name in ("moving_variance", "variance", "gamma"):
            values = generator.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            values = generator.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        else:
            values = 0.3 * generator.normal(size=shape)
        variable.assign(values.astype("float32"))
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization" and layer.built:
            layer.finalize_state()


def crossed(build: Builder) -> tuple[Any, Crossed]:
    model = build(keras3())
    randomize(model)
    return model, cross(model, "model.keras")


CASES = {name: build for name, build in {**NAMED, **FURTHER}.items() if name != OPEN_SHAPE}


@pytest.mark.parametrize("name", CASES)
def test_a_carried_model_and_its_clone_compute_the_same(name: str) -> None:
    """An independent comparison: other inputs than the bridge's own check, both models called as a user would."""
    model, over = crossed(CASES[name])

    values = [other_values(value) for value in random_inputs(model)]
    theirs = keras3().tree.flatten(model(structured(model, values), training=False))
    ours = as_list(over.model(values))

    differences = [relative_difference(np.asarray(a), np.asarray(b)) for a, b in zip(theirs, ours, strict=True)]
    assert max(differences) <= (HALF_PRECISION if "float16" in name else LIMIT)
    assert over.difference <= LIMIT
    assert ("EC246" in {note.code for note in over.diagnostics}) == (name in HOSTED)
    if name != "subclassed model":  # a class inside a function: no config can name it
        assert_clone_is_equal(over.model, values, ours)


def assert_clone_is_equal(model: Any, values: list[Any], outputs: list[Any]) -> None:
    """Compression passes clone models from their configs."""
    clone = tf_keras().models.clone_model(model)
    clone.set_weights(model.get_weights())
    for a, b in zip(outputs, as_list(clone(values)), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def other_values(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(99)
    if value.dtype.kind in "iu":
        return value[::-1].copy()
    return generator.normal(size=value.shape).astype(value.dtype)


def structured(model: Any, values: list[Any]) -> Any:
    """The values as the model's own call takes them."""
    graph = getattr(model, "_functional", None) or model
    return keras3().tree.pack_sequence_as(graph._inputs_struct, values)


def as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


APPLICATIONS = {
    "MobileNetV2": {"alpha": 0.35, "input_shape": (96, 96, 3)},
    "MobileNetV3Small": {"input_shape": (64, 64, 3)},
    "EfficientNetB0": {"input_shape": (64, 64, 3)},
}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_is_carried_over(name: str) -> None:
    _, over = crossed(lambda keras: getattr(keras.applications, name)(weights=None, **APPLICATIONS[name]))

    assert over.difference <= LIMIT
    assert [note for note in over.diagnostics if note.code == "EC246"] == []


def test_initializers_regularizers_constraints_and_training_flags_survive() -> None:
    def build(keras: Any) -> Any:
        dense = keras.layers.Dense(
            4,
            kernel_initializer=keras.initializers.HeNormal(seed=3),
            kernel_regularizer=keras.regularizers.L2(0.01),
            kernel_constraint=keras.constraints.MaxNorm(2.0),
            trainable=False,
        )
        return keras.Sequential([keras.Input((6,)), dense])

    _, over = crossed(build)

    twin = over.model.layers[-1]
    assert type(twin.kernel_initializer).__name__ == "HeNormal"
    assert float(twin.kernel_regularizer.l2) == pytest.approx(0.01)
    assert twin.kernel_constraint.max_value == 2.0
    assert twin.trainable is False


def test_nested_models_are_laid_flat_under_unique_names() -> None:
    _, over = crossed(FURTHER["nested in nested, equal names"])

    names = [layer.name for layer in over.model.layers]
    assert len(names) == len(set(names))
    assert not any(isinstance(layer, tf_keras().Model) for layer in over.model.layers)


def test_a_shared_layer_stays_one_layer() -> None:
    _, over = crossed(NAMED["shared layer (used twice)"])

    assert sum(isinstance(layer, tf_keras().layers.Dense) for layer in over.model.layers) == 1


def test_outputs_of_a_dictionary_keep_their_keys() -> None:
    _, over = crossed(FURTHER["dictionary in and out"])

    assert over.output_names == ["x", "y"]
    assert over.model.input_names == ["a", "b"]


def test_augmentation_is_left_out_and_told() -> None:
    _, over = crossed(NAMED["RandomFlip"])

    note = next(note for note in over.diagnostics if note.code == "EC244")
    assert note.notes[0].count("random_flip") == note.notes[0].count("random_rotation") == 1
    assert [type(layer).__name__ for layer in over.model.layers] == ["InputLayer", "Conv2D"]


@pytest.mark.parametrize("name", ["mixed dtype float16 model", "bfloat16 model", "float64 model"])
def test_other_precisions_become_float32_and_are_told(name: str) -> None:
    _, over = crossed(CASES[name])

    assert {variable.dtype.name for variable in over.model.weights} == {"float32"}
    assert {layer.dtype_policy.name for layer in over.model.layers} == {"float32"}
    assert "EC245" in {note.code for note in over.diagnostics}


def test_a_layer_that_differs_is_named_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin's second layer is altered after it was made: the check must find it and not its successors."""
    model = keras3().Sequential(
        [keras3().Input((6,)), *(keras3().layers.Dense(5, activation="tanh", name=f"dense_{i}") for i in range(3))]
    )
    randomize(model)

    def altered(source: Any) -> Any:
        carried = carry(source)
        layer = carried.model.get_layer("dense_1")
        layer.set_weights([value + 1e-3 for value in layer.get_weights()])
        return carried

    monkeypatch.setattr("edgecompile.frontend.bridge.cross.carry", altered)

    with pytest.raises(BadInputError) as caught:
        cross(model, "model.keras")

    said = caught.value.diagnostics[0]
    assert said.code == "EC240"
    assert said.location is not None and said.location.layer == "dense_1"
    assert "limit 1e-05" in said.notes[0]


@pytest.mark.parametrize("last", ["Dense", "Softmax", "Activation", "operation"])
def test_a_difference_that_a_last_softmax_would_hide_is_found(last: str) -> None:
    """Softmax of large values saturates; the comparison looks before it."""
    keras = keras3()
    x = keras.Input((6,))
    y = keras.layers.Dense(5, activation="softmax" if last == "Dense" else None, name="dense")(x)
    if last == "operation":
        y = keras.ops.softmax(y)
    elif last != "Dense":
        y = getattr(keras.layers, last)(*(["softmax"] if last == "Activation" else []))(y)
    model = keras.Model(x, y)
    model.get_layer("dense").set_weights([1e4 * np.eye(6, 5), np.zeros(5)])
    carried = carry(model)
    layer = carried.model.get_layer("dense")
    layer.set_weights([layer.get_weights()[0] * 1.01, np.zeros(5)])

    found = compare(model, carried)

    assert found.difference == pytest.approx(0.01, rel=0.1)
    assert found.first is not None and found.first[0] == "dense"
    assert model.get_layer("dense").activation.__name__ == ("softmax" if last == "Dense" else "linear")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param([1.0, -4.0], [1.0, -3.0], 0.25, id="relative-to-the-largest"),
        pytest.param([0.0], [1.0], 1.0, id="all-zero"),
        pytest.param([np.inf, 1.0], [np.inf, 1.0], 0.0, id="equal-infinities"),
        pytest.param([np.inf, 1.0], [1.0, 1.0], np.inf, id="infinite-in-one"),
        pytest.param([np.nan, np.inf], [np.nan, np.inf], np.inf, id="nothing-finite"),
        pytest.param([1.0], [[1.0]], np.inf, id="other-shape"),
    ],
)
def test_the_difference_is_relative_to_the_largest_output(a: Any, b: Any, expected: float) -> None:
    assert relative_difference(np.array(a), np.array(b)) == expected


def test_random_crop_is_refused_by_name() -> None:
    keras = keras3()
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.RandomCrop(4, 4, name="crop")])

    with pytest.raises(BadInputError) as caught:
        cross(model, "model.keras")

    assert caught.value.diagnostics[0].code == "EC239"
    assert "layer `crop` (`RandomCrop`)" in caught.value.diagnostics[0].message


@pytest.mark.parametrize("how", ["quantized", "lora"])
def test_quantized_and_lora_layers_are_refused_by_name(how: str) -> None:
    keras = keras3()
    dense = keras.layers.Dense(8, name="dense")
    model = keras.Sequential([keras.Input((8,)), dense])
    if how == "lora":
        dense.enable_lora(2)
    else:
        dense.quantize("int8")

    with pytest.raises(BadInputError) as caught:
        cross(model, "model.keras")

    assert caught.value.diagnostics[0].code == "EC238"
    assert "layer `dense`" in caught.value.diagnostics[0].message


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras3().config, "backend", lambda: "jax")

    with pytest.raises(BadInputError, match="EC243"):
        cross(keras3().Sequential([keras3().Input((2,)), keras3().layers.Dense(2)]), "model.keras")


def test_the_comparison_uses_rows_that_every_embedding_has() -> None:
    keras = keras3()
    model = keras.Sequential([keras.Input((50,), dtype="int32"), keras.layers.Embedding(3, 2)])

    assert {int(value) for value in np.unique(random_inputs(model)[0])} == {0, 1, 2}
    assert comparison.INTEGERS_BELOW > 3
