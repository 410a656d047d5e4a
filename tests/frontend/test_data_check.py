"""Data held against a model: shapes, types, numbers, labels, names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.frontend.data import arrange, check_against, open_data, restore, save, spec_from
from edgecompile.frontend.data_set import DataSet, Split
from edgecompile.frontend.preprocess import apply


@dataclass(frozen=True)
class Spec:
    """A model's input or output."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


IMAGE, CLASSES = Spec("image", (None, 4, 4, 1)), Spec("class", (None, 3))
LABELS = np.arange(12) % 3
MASK = Spec("mask", (None, 4, 4, 2))


def data_of(x: Any, y: Any = None, *, kind: str = "npz", names: tuple[str, ...] = (), **more: Any) -> DataSet:
    """A data set with these arrays in train and, reversed, in test."""
    xs = x if isinstance(x, tuple) else (x,)
    ys = () if y is None else y if isinstance(y, tuple) else (y,)
    parts = {
        "train": Split(x=xs, y=ys),
        "test": Split(x=tuple(a[::-1] for a in xs), y=tuple(a[::-1] for a in ys)),
    }
    return DataSet(source="d.npz", kind=kind, names=names, **parts, **more)


def images(*shape: int, dtype: str = "float32") -> Any:
    """Twelve samples of values from 0 to 1."""
    values = np.random.RandomState(0).random_sample((12, *(shape or (4, 4, 1))))
    return values.astype(dtype)


def errors(data: DataSet, inputs: Any = (IMAGE,), outputs: Any = (CLASSES,)) -> tuple[Diagnostic, ...]:
    """What check_against raises."""
    with pytest.raises(BadInputError) as caught:
        check_against(data, inputs, outputs)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("x", "y", "inputs", "outputs"),
    [
        pytest.param(images(), LABELS, (IMAGE,), (CLASSES,), id="images"),
        pytest.param(images(), None, (IMAGE,), (CLASSES,), id="no-labels"),
        pytest.param(images(9, 7, 1), LABELS, (Spec("i", (None, None, None, 1)),), (CLASSES,), id="any-size"),
        pytest.param(images(), np.eye(3)[LABELS], (IMAGE,), (CLASSES,), id="one-hot"),
        pytest.param(images(), np.linspace(-5, 5, 12), (IMAGE,), (Spec("v", (None, 1)),), id="regression"),
        pytest.param(images(), np.arange(192).reshape(12, 4, 4) % 2, (IMAGE,), (MASK,), id="dense"),
        pytest.param(
            images(), LABELS == 1, (Spec("image", (None, 4, 4, 1), "int8"),), (CLASSES,), id="quantized-input"
        ),
        pytest.param(np.ones((12, 5), "int64"), LABELS, (Spec("t", (None, 5), "int32"),), (CLASSES,), id="indices"),
        pytest.param(np.ones((12, 5)), LABELS, (Spec("t", (None, 5), "int32"),), (CLASSES,), id="whole-numbers"),
    ],
)
def test_data_that_will_do_has_nothing_wrong(x: Any, y: Any, inputs: Any, outputs: Any) -> None:
    assert check_against(data_of(x, y), inputs, outputs) == ()


@pytest.mark.parametrize(
    ("x", "kind", "expected", "found", "word"),
    [
        pytest.param(images(4, 4), "npz", "[4, 4, 1]", "[4, 4]", "channel axis", id="no-channel"),
        pytest.param(images(1, 4, 4), "npz", "[4, 4, 1]", "[1, 4, 4]", "transpose", id="channels-first"),
        pytest.param(images(16), "npz", "[4, 4, 1]", "[16]", "reshape(-1, 4, 4, 1)", id="flat"),
        pytest.param(images(5, 5, 1), "npz", "[4, 4, 1]", "[5, 5, 1]", "resizing", id="size"),
        pytest.param(images(5, 5, 1), "images", "[4, 4, 1]", "[5, 5, 1]", "`resize = [4, 4]`", id="image-size"),
        pytest.param(images(4, 4, 3), "images", "[4, 4, 1]", "[4, 4, 3]", 'color = "grayscale"', id="image-colour"),
        pytest.param(images(9), "wav", "[4, 4, 1]", "[9]", "`length = 4`", id="sound"),
    ],
)
def test_another_shape_is_told_with_the_remedy(x: Any, kind: str, expected: str, found: str, word: str) -> None:
    (problem,) = errors(data_of(x, LABELS, kind=kind))

    assert problem.code == "EC266"
    assert problem.notes == (f"expected: {expected}", f"found: {found}")
    assert word in "\n".join(problem.help)


def test_fractions_for_indices_are_told() -> None:
    (problem,) = errors(data_of(images(5), LABELS), inputs=(Spec("t", (None, 5), "int32"),))

    assert problem.code == "EC267"
    assert problem.notes == ("expected: int32", "found: float32 with fractions")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_counted_and_the_first_is_shown(bad: float) -> None:
    x = images()
    x[3, 1, 2, 0] = x[7, 0, 0, 0] = bad

    (problem,) = errors(data_of(x, LABELS))

    assert problem.code == "EC268"
    assert problem.notes[0] == f"x_train: 2 of 192 values, the first ({bad}) at [3, 1, 2, 0]"
    assert problem.notes[1].startswith("x_test: 2 of 192 values")


def test_nan_in_regression_targets_is_told() -> None:
    y = np.linspace(0, 1, 12)
    y[4] = np.nan

    (problem,) = errors(data_of(images(), y), outputs=(Spec("v", (None, 1)),))

    assert (problem.code, problem.notes[0]) == ("EC268", "y_train: 1 of 12 values, the first (nan) at [4]")


@pytest.mark.parametrize(
    ("y", "found", "word"),
    [
        pytest.param(np.arange(12) % 3 + 1, "y_train: found 3 in 4 places, first at [2]", "subtract 1", id="from-one"),
        pytest.param(np.arange(12) % 3 - 1, "y_train: found -1 in 4 places, first at [0]", "same", id="negative"),
        pytest.param(np.arange(12), "y_train: found 3, 4, 5", "same classes", id="more-classes"),
    ],
)
def test_labels_out_of_range_are_told_with_limit_and_found(y: Any, found: str, word: str) -> None:
    (problem,) = errors(data_of(images(), y))

    assert problem.code == "EC269"
    assert problem.notes[0] == "limit: 0 to 2 (3 outputs)"
    assert problem.notes[1].startswith(found)
    assert word in problem.help[0]


def test_labels_of_dense_outputs_are_checked_too() -> None:
    (problem,) = errors(data_of(images(), np.full((12, 4, 4), 2)), outputs=(MASK,))

    assert problem.code == "EC269"


def test_one_class_is_a_warning_for_each_part_that_has_it() -> None:
    warnings = check_against(data_of(images(), np.ones(12, int)), (IMAGE,), (CLASSES,))

    assert [(w.code, w.severity.value) for w in warnings] == [("EC271", "warning")] * 2


def test_raw_bytes_without_preprocessing_are_a_warning() -> None:
    x = np.random.RandomState(0).randint(0, 256, (12, 4, 4, 1)).astype(np.uint8)

    (warning,) = check_against(data_of(x, LABELS), (IMAGE,), (CLASSES,))

    assert (warning.code, warning.severity.value) == ("EC272", "warning")
    declared = data_of(x, LABELS, description={"preprocess": {"scale": [1.0]}})
    assert check_against(declared, (IMAGE,), (CLASSES,)) == ()
    assert check_against(data_of(x, LABELS), (Spec("i", (None, 4, 4, 1), "uint8"),), (CLASSES,)) == ()


def test_class_names_that_are_not_as_many_as_the_outputs_are_a_warning() -> None:
    (warning,) = check_against(data_of(images(), LABELS, labels=("a", "b")), (IMAGE,), (CLASSES,))

    assert (warning.code, warning.severity.value) == ("EC284", "warning")
    assert "2 class names for 3 outputs" in warning.message


LEFT, RIGHT = Spec("left", (None, 2)), Spec("serving_default_right:0", (None, 3))


@pytest.mark.parametrize(
    ("x", "names", "inputs", "word"),
    [
        pytest.param((images(2),), (), (LEFT, RIGHT), "1 x array a part, and the model has 2 inputs", id="too-few"),
        pytest.param((images(2), images(3)), ("a", "b"), (IMAGE,), "2 x arrays a part", id="too-many"),
        pytest.param((images(2), images(3)), ("left", "rigth"), (LEFT, RIGHT), "no input `rigth`", id="misspelt"),
    ],
)
def test_inputs_that_do_not_match_are_told(x: Any, names: tuple[str, ...], inputs: Any, word: str) -> None:
    (problem,) = errors(data_of(x, LABELS, names=names), inputs=inputs)

    assert problem.code == "EC281"
    assert word in problem.message
    assert problem.notes[0].startswith("the model's inputs: ")


def test_more_targets_than_outputs_are_told() -> None:
    (problem,) = errors(data_of(images(), (LABELS, LABELS)))

    assert (problem.code, "2 y arrays" in problem.message) == ("EC281", True)


def test_named_arrays_take_the_models_order() -> None:
    age, sex = np.arange(12), LABELS
    data = data_of((images(2), images(3)), (age, sex), names=("left", "right"), output_names=("age", "sex"))

    arranged = arrange(data, (RIGHT, LEFT), (Spec("sex", (None, 3)), Spec("age", (None, 1))))

    assert arranged.train is not None
    assert [x.shape for x in arranged.train.x] == [(12, 3), (12, 2)]
    assert arranged.train.y[0] is sex
    assert (arranged.names, arranged.output_names) == (("right", "left"), ("sex", "age"))
    assert check_against(arranged, (RIGHT, LEFT), (Spec("sex", (None, 3)), Spec("age", (None, 1)))) == ()


def test_sounds_get_the_models_channel_axis_and_arrays_do_not() -> None:
    port = (Spec("sound", (None, 16, 1)),)

    sound, array = (arrange(data_of(images(16), LABELS, kind=kind), port, (CLASSES,)) for kind in ("wav", "npz"))

    assert sound.train is not None and sound.train.x[0].shape == (12, 16, 1)
    assert array.train is not None and array.train.x[0].shape == (12, 16)


def test_everything_wrong_is_told_at_once() -> None:
    x = images(4, 4)
    x[0] = np.nan

    assert [problem.code for problem in errors(data_of(x, LABELS + 5))] == ["EC266", "EC268", "EC269"]


@pytest.mark.parametrize(
    ("x", "spec", "answer"),
    [
        pytest.param(np.uint8([[0, 255]]), Preprocess(scale=(2.0,)), [[0.0, 510.0]], id="scale"),
        pytest.param(np.uint8([[0, 255]]), Preprocess(offset=(-1.0,)), [[-1.0, 254.0]], id="offset"),
        pytest.param(np.uint8([[4, 8]]), Preprocess(scale=(0.5,), offset=(-1.0,)), [[1.0, 3.0]], id="both"),
        pytest.param(np.uint8([[4, 8]]), Preprocess(scale=(0.5, 0.25), offset=(1.0, 0.0)), [[3.0, 2.0]], id="channels"),
    ],
)
def test_preprocessing_is_scale_then_offset_in_float32(x: Any, spec: Preprocess, answer: list[Any]) -> None:
    result = apply(x, spec, "d")

    assert result.dtype == np.float32
    assert result.tolist() == answer


def test_without_preprocessing_integers_stay_and_doubles_become_float32() -> None:
    bytes_ = np.zeros((2, 2), np.uint8)

    assert apply(bytes_, Preprocess(), "d") is bytes_
    assert apply(np.zeros((2, 2)), Preprocess(), "d").dtype == np.float32


def test_a_scale_for_other_channels_is_told() -> None:
    with pytest.raises(BadInputError) as caught:
        apply(images(), Preprocess(scale=(1.0, 2.0, 3.0)), "d")

    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.message) == ("EC282", "`scale` has 3 numbers for data with 1 channel")


def test_a_data_set_survives_the_trip_through_a_folder(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_train=images(), y_train=LABELS, x_test=images(), y_test=LABELS, x_calib=images())
    data = open_data(DataSpec(source="d.npz", calibration_samples=3), tmp_path, seed=0)

    save(data, tmp_path / "kept" / "here")
    back = restore(tmp_path / "kept" / "here")

    assert (back.source, back.kind, back.labels, back.names) == (data.source, data.kind, data.labels, data.names)
    assert (back.description, back.diagnostics) == (data.description, data.diagnostics)
    assert [name for name, _ in back.parts()] == [name for name, _ in data.parts()]
    for (_, ours), (_, theirs) in zip(data.parts(), back.parts(), strict=True):
        for a, b in zip((*ours.x, *ours.y), (*theirs.x, *theirs.y), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def test_a_spec_survives_json() -> None:
    import dataclasses
    import json

    spec = DataSpec(source="d", target_column="y", preprocess=Preprocess(scale=(1.0,), resize=(4, 5), color="rgb"))

    assert spec_from(json.loads(json.dumps(dataclasses.asdict(spec)))) == spec
