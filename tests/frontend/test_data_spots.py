"""Faults of the data are told at their place in the user's own source, however it is split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec
from edgecompile.frontend.data import check_against, open_data, restore, save
from edgecompile.frontend.input_spec import InputSpec as Port

SAMPLES = 60
INPUT, CLASSES = Port(name="x", shape=(None, 3), dtype="float32"), Port(name="y", shape=(None, 2), dtype="float32")


def told(data: Any, inputs: Any = (INPUT,), outputs: Any = (CLASSES,)) -> tuple[str, ...]:
    """The notes of the only diagnostic."""
    with pytest.raises(BadInputError) as caught:
        check_against(data, inputs, outputs)
    (problem,) = caught.value.diagnostics
    return problem.notes


def arrays(**changed: Any) -> dict[str, Any]:
    """Samples of two classes, every value in its place different."""
    x = np.arange(SAMPLES * 3, dtype=np.float32).reshape(SAMPLES, 3)
    return {"x_train": x, "y_train": np.arange(SAMPLES) % 2, **changed}


def opened(folder: Path, given: dict[str, Any], **settings: Any) -> Any:
    """The arrays of a file, a part of them held out and some drawn to calibrate."""
    np.savez(folder / "d.npz", **given)
    return open_data(DataSpec(source="d.npz", validation=0.25, calibration_samples=20, **settings), folder, seed=3)


@pytest.mark.parametrize("row", range(0, SAMPLES, 7))
def test_a_value_that_is_none_is_told_where_it_stands_in_the_users_array(tmp_path: Path, row: int) -> None:
    given = arrays()
    given["x_train"][row, 1] = np.nan

    notes = told(opened(tmp_path, given))

    assert notes == (f"x_train: 1 of {SAMPLES * 3} values, the first (nan) at [{row}, 1]",)


@pytest.mark.parametrize("row", range(0, SAMPLES, 7))
def test_a_label_out_of_range_is_told_where_it_stands_in_the_users_array(tmp_path: Path, row: int) -> None:
    given = arrays()
    given["y_train"][row] = given["y_train"][SAMPLES - 1] = 5

    notes = told(opened(tmp_path, given))

    assert notes == ("limit: 0 to 1 (2 outputs)", f"y_train: found 5 in 2 places, first at [{row}]")


def test_parts_that_the_file_has_are_told_by_their_names(tmp_path: Path) -> None:
    x = np.ones((4, 3), np.float32)
    x[2] = np.inf
    given = arrays(x_test=x, y_test=np.zeros(4, int), x_calibration=np.ones((20, 3)))

    notes = told(opened(tmp_path, given))

    assert notes == ("x_test: 3 of 12 values, the first (inf) at [2, 0]",)


def test_arrays_of_several_inputs_are_told_by_their_names(tmp_path: Path) -> None:
    given = arrays()
    left, right = given.pop("x_train"), np.ones((SAMPLES, 3), np.float32)
    right[31, 2] = -np.inf
    ports = tuple(Port(name=name, shape=(None, 3), dtype="float32") for name in ("left", "right"))

    notes = told(opened(tmp_path, {**given, "x_train_left": left, "x_train_right": right}), inputs=ports)

    assert notes == (f"x_train_right: 1 of {SAMPLES * 3} values, the first (-inf) at [31, 2]",)


def test_places_survive_the_trip_to_another_process(tmp_path: Path) -> None:
    given = arrays()
    given["x_train"][44, 0] = np.nan
    data = opened(tmp_path, given)

    save(data, tmp_path / "kept")

    assert told(restore(tmp_path / "kept")) == told(data)


@pytest.mark.parametrize(
    ("head", "column"), [pytest.param("age, size,y\n", "`size`", id="header"), pytest.param("", "1", id="none")]
)
def test_a_cell_of_a_table_is_told_by_its_line_and_column(tmp_path: Path, head: str, column: str) -> None:
    body = [f"{n},{n},{n % 2}" for n in range(30)]
    body[17] = "1,nan,0"
    (tmp_path / "d.csv").write_text(head + "\n" + "\n".join(body) + "\n")
    data = open_data(DataSpec(source="d.csv", calibration_samples=5), tmp_path, seed=0)

    notes = told(data, inputs=(Port(name="x", shape=(None, 2), dtype="float32"),))

    line = 17 + 1 + 1 + bool(head)
    assert notes == (f"x: 1 of 60 values, the first (nan) in row {line}, column {column}",)


def test_a_label_of_a_table_is_told_by_its_line(tmp_path: Path) -> None:
    body = [f"{n},{n},{n % 2}" for n in range(30)]
    body[9] = "1,1,7"
    (tmp_path / "d.csv").write_text("\n".join(body) + "\n")
    data = open_data(DataSpec(source="d.csv", calibration_samples=5), tmp_path, seed=0)

    notes = told(data, inputs=(Port(name="x", shape=(None, 2), dtype="float32"),))

    assert notes[1] == "y: found 7 in 1 place, first in row 10"


def test_a_cell_that_is_no_number_is_told_by_the_line_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text('a,b,y\n\n1,2,0\n"1",x,1\n')

    with pytest.raises(BadInputError) as caught:
        open_data(DataSpec(source="d.csv"), tmp_path, seed=0)

    assert "row 4, column `b` holds the text `x`" in caught.value.diagnostics[0].message


def test_a_file_of_a_folder_is_told_by_its_name(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "d" / name).mkdir(parents=True)
        for number in range(6):
            write_float_wav(tmp_path / "d" / name / f"{number}.wav", bad=(name, number) == ("dog", 4))
    data = open_data(DataSpec(source="d", calibration_samples=3), tmp_path, seed=0)

    notes = told(data, inputs=(Port(name="x", shape=(None, 64), dtype="float32"),))

    assert notes == ("x: 1 of 768 values, the first (nan) in `dog/4.wav` at [5]",)


def write_float_wav(path: Path, *, bad: bool) -> None:
    """64 samples in 32-bit floating point at 16 kHz, one of them NaN where ``bad``."""
    samples = np.linspace(-0.5, 0.5, 64, dtype="<f4")
    samples[5] = np.nan if bad else 0
    body = samples.tobytes()
    form = b"".join(
        int(n).to_bytes(size, "little") for n, size in ((3, 2), (1, 2), (16000, 4), (64000, 4), (4, 2), (32, 2))
    )
    chunks = b"fmt " + len(form).to_bytes(4, "little") + form + b"data" + len(body).to_bytes(4, "little") + body
    path.write_bytes(b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks)
