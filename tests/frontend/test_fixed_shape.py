"""Inputs that a model leaves open take the shape that the user says; what does not fit is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError
from edgecompile.core.input_shape import parse_input_shape
from edgecompile.frontend.keras_model import KerasModel, load
from edgecompile.frontend.source import open_model
from edgecompile.libs.keras import keras3, tf_keras

pytestmark = pytest.mark.tensorflow
BOTH = pytest.mark.parametrize("keras", [keras3, tf_keras])


def picture(keras: Any) -> Any:
    """A convolution, a nested model with a batch norm, a dense layer; two of three sizes open."""
    k = keras.layers
    inner = keras.Sequential([keras.Input((None, None, 4)), k.BatchNormalization(), k.ReLU()], name="inner")
    given = keras.Input((None, None, 3), name="picture")
    x = k.GlobalAveragePooling2D()(inner(k.Conv2D(4, 3, padding="same", name="edges")(given)))
    return keras.Model(given, k.Dense(2, name="answer")(x), name="seen")


def two(keras: Any) -> Any:
    k = keras.layers
    left, right = keras.Input((None, 3), name="left"), keras.Input((4, 2), name="right")
    return keras.Model(
        {"left": left, "right": right}, [k.GlobalAveragePooling1D(name="a")(left), k.Flatten(name="b")(right)]
    )


def loaded(build: Callable[[Any], Any], keras: Callable[[], Any], folder: Path, *shapes: str) -> KerasModel:
    """The model of a file, with these shapes."""
    build(keras()).save(folder / "m.keras")
    return load(open_model("m.keras", folder), None, False, folder, [parse_input_shape(shape) for shape in shapes])


def refusals(
    build: Callable[[Any], Any], keras: Callable[[], Any], folder: Path, *shapes: str
) -> tuple[Diagnostic, ...]:
    """What is said of shapes that do not fit."""
    with pytest.raises(BadInputError) as caught:
        loaded(build, keras, folder, *shapes)
    return caught.value.diagnostics


@BOTH
def test_an_open_shape_is_fixed_and_the_answers_stay(keras: Callable[[], Any], tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(2, 8, 6, 3)).astype(np.float32)

    found = loaded(picture, keras, tmp_path, "8x6x3")

    assert [port.shape for port in found.inputs] == [(None, 8, 6, 3)]
    assert [port.name for port in found.inputs] == ["picture"]
    assert [port.name for port in found.outputs] == ["answer"]
    given = keras().models.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_allclose(np.asarray(found.model(x)), np.asarray(given(x)), rtol=1e-5, atol=1e-6)


@BOTH
def test_layers_stay_layers_of_the_model(keras: Callable[[], Any], tmp_path: Path) -> None:
    found = loaded(picture, keras, tmp_path, "8x6x3")

    assert "edges" in [layer.name for layer in found.model.layers]


@BOTH
@pytest.mark.parametrize("shapes", [("5x3", "4x2"), ("left=5x3",)], ids=["in-order", "by-name"])
def test_of_several_inputs_each_takes_its_own(
    keras: Callable[[], Any], shapes: tuple[str, ...], tmp_path: Path
) -> None:
    found = loaded(two, keras, tmp_path, *shapes)

    assert {port.name: port.shape for port in found.inputs} == {"left": (None, 5, 3), "right": (None, 4, 2)}


@BOTH
def test_the_shape_that_a_model_has_changes_nothing(keras: Callable[[], Any], tmp_path: Path) -> None:
    def fixed(keras: Any) -> Any:
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

    assert loaded(fixed, keras, tmp_path, "4").inputs[0].shape == (None, 4)


WRONG = {
    "rank": (picture, ("8x6",), "limit: 3 sizes; found: 2 sizes", "`96x96x3`"),
    "batch": (picture, ("1x8x6x3",), "limit: 3 sizes; found: 4 sizes", "`8x6x3`"),
    "channels": (picture, ("8x6x1",), "limit: [?, ?, ?, 3]; found: [?, 8, 6, 1]", "`96x96x3`"),
    "name": (picture, ("pictur=8x6x3",), "its inputs are `picture`", "did you mean `picture`?"),
    "count": (two, ("5x3",), "limit: 2, one each for `left`, `right`; found: 1", "left=SIZES"),
    "twice": (two, ("left=5x3", "left=6x3"), "limit: 1; found: `left=5x3` and `left=6x3`", "keep one"),
}


@BOTH
@pytest.mark.parametrize(("build", "shapes", "note", "remedy"), WRONG.values(), ids=WRONG)
def test_a_shape_that_does_not_fit_is_refused(
    keras: Callable[[], Any],
    build: Callable[[Any], Any],
    shapes: tuple[str, ...],
    note: str,
    remedy: str,
    tmp_path: Path,
) -> None:
    found = refusals(build, keras, tmp_path, *shapes)

    assert [said.code for said in found] == ["EC248"]
    assert note in " ".join(found[0].notes)
    assert remedy in " ".join(found[0].help)


def test_an_input_that_stays_open_is_told_with_the_option(tmp_path: Path) -> None:
    found = refusals(two, tf_keras, tmp_path, "right=4x2")

    assert [said.code for said in found] == ["EC234"]
    assert "--input-shape left=96x3" in found[0].help[0]


@BOTH
def test_a_layer_that_cannot_take_the_shape_is_told_in_its_words(keras: Callable[[], Any], tmp_path: Path) -> None:
    def narrow(keras: Any) -> Any:
        given = keras.Input((None, 3))
        return keras.Model(given, keras.layers.Conv1D(2, 5, padding="valid")(given))

    found = refusals(narrow, keras, tmp_path, "4x3")

    assert [said.code for said in found] == ["EC248"]
    assert "a layer of the model cannot take" in found[0].message


def test_a_recurrent_layer_of_open_length_is_unrolled_over_the_one_given(tmp_path: Path) -> None:
    from edgecompile.convert.unroll import unroll

    def heard(keras: Any) -> Any:
        return keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(2)])

    found = loaded(heard, tf_keras, tmp_path, "5x3")

    assert ["unrolled over its 5 steps" in said.message for said in unroll(found.model)] == [True]
