"""Arrays by name, from `.npz` files whole and broken."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.frontend.data import open_data

X, Y = np.arange(40 * 6, dtype=np.float32).reshape(40, 6), np.arange(40) % 4
SPEC = DataSpec(source="d.npz", calibration_samples=8)


def saved(folder: Path, **arrays: Any) -> Path:
    """An .npz file with these arrays."""
    np.savez(folder / "d.npz", **arrays)
    return folder / "d.npz"


def told(folder: Path, spec: DataSpec = SPEC) -> list[str]:
    """The codes that opening the data raises."""
    with pytest.raises(BadInputError) as caught:
        open_data(spec, folder, seed=0)
    return [problem.code for problem in caught.value.diagnostics]


def test_the_four_arrays_become_splits_and_test_stays_as_it_is(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, y_train=Y, x_test=X[:5] + 1000, y_test=Y[:5])

    data = open_data(SPEC, tmp_path, seed=0)

    assert {name: len(part) for name, part in data.parts()} == {
        "train": 36,
        "validation": 4,
        "calibration": 8,
        "test": 5,
    }
    assert data.test is not None
    np.testing.assert_array_equal(data.test.x[0], X[:5] + 1000)
    np.testing.assert_array_equal(data.test.y[0], Y[:5])
    assert data.diagnostics == ()


def test_given_parts_are_taken_as_they_are(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, y_train=Y, x_test=X, x_validation=X[:3], y_validation=Y[:3], x_calibration=X[5:25])

    data = open_data(SPEC, tmp_path, seed=0)

    assert data.validation is not None and data.calibration is not None and data.train is not None
    np.testing.assert_array_equal(data.calibration.x[0], X[5:25])
    np.testing.assert_array_equal(data.validation.x[0], X[:3])
    assert len(data.train) == 40
    assert data.description["splits"]["calibration"] == {"samples": 20, "from": "the source"}


def test_named_arrays_are_inputs_and_outputs_of_their_own(tmp_path: Path) -> None:
    parts = {f"{axis}_{part}": Y for axis in ("y",) for part in ("train_age", "train_sex", "test_age", "test_sex")}
    saved(tmp_path, x_train_right=X, x_train_left=X + 1, x_test_left=X, x_test_right=X, **parts)

    data = open_data(SPEC, tmp_path, seed=0)

    assert (data.names, data.output_names) == (("left", "right"), ("age", "sex"))
    assert data.train is not None
    assert (len(data.train.x), len(data.train.y)) == (2, 2)
    np.testing.assert_array_equal(data.train.x[0], data.train.x[1] + 1)


def test_only_a_test_part_leaves_nothing_to_calibrate_with(tmp_path: Path) -> None:
    saved(tmp_path, x_test=X, y_test=Y)

    data = open_data(SPEC, tmp_path, seed=0)

    assert [name for name, _ in data.parts()] == ["test"]


def test_labels_may_be_texts_and_class_names_an_array(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, y_train=np.asarray(["b", "a", "d", "c"] * 10), x_test=X[:1], y_test=np.asarray(["d"]))

    data = open_data(SPEC, tmp_path, seed=0)

    assert data.labels == ("a", "b", "c", "d")
    assert data.test is not None and data.test.y[0].tolist() == [3]


def test_labels_in_a_column_become_a_row(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, y_train=Y[:, None], x_test=X, y_test=Y[:, None].astype(np.uint8))

    data = open_data(SPEC, tmp_path, seed=0)

    assert data.test is not None and data.test.y[0].shape == (40,)


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        pytest.param({}, "EC263", id="nothing"),
        pytest.param({"x": X, "y": Y}, "EC263", id="other-names"),
        pytest.param({"x_trian": X, "y_train": Y}, "EC263", id="misspelt"),
        pytest.param({"y_train": Y}, "EC263", id="labels-alone"),
        pytest.param({"x_train_a": X, "x_train_b": X, "x_test_a": X}, "EC263", id="inputs-differ"),
        pytest.param({"x_train": X, "x_train_b": X}, "EC263", id="named-and-unnamed"),
        pytest.param({"x_train": X, "y_train": Y[:-1]}, "EC264", id="counts"),
        pytest.param({"x_train": X, "y_train": Y, "x_test": X[:0], "y_test": Y[:0]}, "EC265", id="no-samples"),
        pytest.param({"x_train": np.float32(3)}, "EC265", id="scalar"),
        pytest.param({"x_train": np.asarray([{}, 1], dtype=object)}, "EC262", id="objects"),
        pytest.param({"x_train": np.zeros(4, "M8[s]")}, "EC262", id="dates"),
        pytest.param({"x_train": np.asarray(["a", "b"])}, "EC267", id="texts-for-samples"),
        pytest.param({"x_train": np.zeros((40, 2), np.complex64)}, "EC262", id="complex"),
        pytest.param({"x_train": X[:7], "y_train": Y[:7]}, "EC270", id="few-for-calibration"),
        pytest.param({"x_train": X[:1], "y_train": Y[:1]}, "EC283", id="few-for-splitting"),
    ],
)
def test_what_is_wrong_with_the_arrays_is_told(tmp_path: Path, arrays: dict[str, Any], code: str) -> None:
    saved(tmp_path, **arrays)

    assert told(tmp_path) == [code]


def test_a_misspelt_array_is_told_with_the_near_name(tmp_path: Path) -> None:
    saved(tmp_path, x_trian=X, y_train=Y)

    with pytest.raises(BadInputError) as caught:
        open_data(SPEC, tmp_path, seed=0)

    assert caught.value.diagnostics[0].help[0] == "did you mean `x_train`?"


def test_an_array_that_nothing_uses_is_a_warning(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, y_train=Y, x_test=X, y_test=Y, x_calib=X, labels=np.asarray(["a", "b", "c", "d"]))

    (warning,) = open_data(SPEC, tmp_path, seed=0).diagnostics

    assert (warning.code, warning.severity.value) == ("EC263", "warning")
    assert warning.help == ("did you mean `x_calibration`?",)


def test_numbers_under_labels_are_no_class_names(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, x_test=X, labels=Y)

    data = open_data(SPEC, tmp_path, seed=0)

    assert data.labels == ()
    assert [warning.code for warning in data.diagnostics] == ["EC263"]


def test_few_calibration_samples_of_the_users_own_are_a_warning(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, x_test=X, x_calibration=X[:3])

    (warning,) = open_data(SPEC, tmp_path, seed=0).diagnostics

    assert (warning.code, warning.severity.value) == ("EC270", "warning")
    assert warning.notes == ("asked: 8", "found: 3")
    assert not open_data(DataSpec(source="d.npz"), tmp_path, seed=0).diagnostics


def test_asked_and_found_calibration_samples_are_told_with_the_number_to_set(tmp_path: Path) -> None:
    saved(tmp_path, x_train=X, y_train=Y, x_test=X, y_test=Y)

    with pytest.raises(BadInputError) as caught:
        open_data(DataSpec(source="d.npz", calibration_samples=200), tmp_path, seed=0)

    (problem,) = caught.value.diagnostics
    assert problem.notes[0] == "asked: 200"
    assert problem.notes[1].startswith("found: 36 ")
    assert "`--calibration-samples 36`" in problem.help[0]


def test_no_cut_of_a_file_gets_past_the_reader(tmp_path: Path) -> None:
    whole = saved(tmp_path, x_train=X, y_train=Y).read_bytes()

    for length in range(0, len(whole), 37):
        (tmp_path / "d.npz").write_bytes(whole[:length])
        assert told(tmp_path) == ["EC262"], length


def test_damaged_files_are_read_or_told_and_never_crash(tmp_path: Path) -> None:
    whole = saved(tmp_path, x_train=X, y_train=Y).read_bytes()
    dice = random.Random(0)

    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(4):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        (tmp_path / "d.npz").write_bytes(bytes(damaged))
        try:
            open_data(SPEC, tmp_path, seed=0)
        except BadInputError as error:
            assert error.diagnostics[0].code.startswith("EC26")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(range(256)) * 8, id="bytes"),
        pytest.param(b"PK\x03\x04" + b"\0" * 60, id="zip-head"),
        pytest.param(b"\x93NUMPY\x01\x00", id="npy-head"),
    ],
)
def test_what_is_no_npz_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.npz").write_bytes(content)

    assert told(tmp_path) == ["EC262"]


@pytest.mark.parametrize(
    ("name", "code", "help_word"),
    [
        pytest.param("e.npz", "EC260", "`d.npz`", id="near-name"),
        pytest.param("nowhere/d.npz", "EC260", "relative", id="no-folder"),
        pytest.param("a\0b.npz", "EC260", "", id="nul"),
        pytest.param("d.mat", "EC261", "numpy.savez", id="another-kind"),
    ],
)
def test_a_source_that_is_not_there_or_not_read_is_told(tmp_path: Path, name: str, code: str, help_word: str) -> None:
    saved(tmp_path, x_train=X)
    (tmp_path / "d.mat").write_bytes(b"MATLAB")

    with pytest.raises(BadInputError) as caught:
        open_data(DataSpec(source=name), tmp_path, seed=0)

    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert help_word in "".join(problem.help)


def test_no_source_at_all_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, DataSpec()) == ["EC260"]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(Preprocess(resize=(8, 8)), id="resize"),
        pytest.param(Preprocess(color="rgb"), id="color"),
        pytest.param(Preprocess(sample_rate=8000), id="sample-rate"),
        pytest.param(Preprocess(length=8000), id="length"),
    ],
)
def test_preprocessing_that_arrays_do_not_heed_is_told(tmp_path: Path, spec: Preprocess) -> None:
    saved(tmp_path, x_train=X)

    assert told(tmp_path, DataSpec(source="d.npz", preprocess=spec)) == ["EC285"]
