"""What is named as data and is no file, no text or no number that float32 has is told as what it is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.frontend import data_npz
from edgecompile.frontend.data import open_data
from edgecompile.frontend.data_labels import read_labels


def told(folder: Path, source: str) -> Diagnostic:
    """The only diagnostic of opening it."""
    with pytest.raises(BadInputError) as caught:
        open_data(DataSpec(source=source), folder, seed=0)
    (problem,) = caught.value.diagnostics
    return problem


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"d.{suffix}")

    problem = told(tmp_path, f"d.{suffix}")

    assert (problem.code, problem.message) == ("EC260", f"`d.{suffix}` is a named pipe, not a file")


def test_a_device_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "d.csv").symlink_to("/dev/zero")

    assert told(tmp_path, "d.csv").message == "`d.csv` is a device, not a file"


def test_a_socket_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("d.npz")

        assert told(tmp_path, "d.npz").message == "`d.npz` is a socket, not a file"


@pytest.mark.parametrize("to", ["gone.npz", "d.npz"], ids=["nowhere", "itself"])
def test_a_link_that_leads_nowhere_is_not_advised_to_be_itself(tmp_path: Path, to: str) -> None:
    (tmp_path / "d.npz").symlink_to(to)

    problem = told(tmp_path, "d.npz")

    assert (problem.code, problem.help) == ("EC260", ("mend the link",))
    assert problem.notes == (f"it is a symbolic link to `{to}`, which leads to no file",)


def test_a_table_that_is_no_utf_8_is_told_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes("a,b\n1,2\n3,4 €\n".encode("cp1252"))

    problem = told(tmp_path, "d.csv")

    assert (problem.code, str(problem.location)) == ("EC277", "d.csv, row 3")
    assert problem.notes == ("found: byte 0x80 in row 3",)
    assert problem.help


@pytest.mark.parametrize(
    ("text", "row", "word"),
    [
        pytest.param('1,2,0\n3,"4,1\n5,6,0\n', 2, "unexpected end of data", id="open-quote"),
        pytest.param(f"1,0\n2,{'9' * 200_000}\n", 2, "field larger than field limit", id="huge-cell"),
    ],
)
def test_a_table_that_does_not_end_as_tables_do_is_told_with_its_row(
    tmp_path: Path, text: str, row: int, word: str
) -> None:
    (tmp_path / "d.csv").write_text(text)

    problem = told(tmp_path, "d.csv")

    assert (problem.code, str(problem.location)) == ("EC277", f"d.csv, row {row}")
    assert word in problem.message and problem.help


def test_numbers_beyond_float32_are_told_as_they_are_given(tmp_path: Path) -> None:
    x = np.ones((20, 3))
    x[7, 1] = -1e300
    np.savez(tmp_path / "d.npz", x_train=x, y_train=np.arange(20) % 2)

    problem = told(tmp_path, "d.npz")

    assert (problem.code, problem.message.split(", ")[0]) == (
        "EC268",
        "the data holds values in `x` that are infinite in float32",
    )
    assert problem.notes == ("limit: 3.403e+38 in size", "x_train: 1 of 60 values, the first (-1e+300) at [7, 1]")


def test_one_number_is_no_sample(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_train=np.float32(3), y_train=np.int64(1))

    problem = told(tmp_path, "d.npz")

    assert (problem.code, problem.notes) == ("EC265", ("found: shape []",))


def test_pictures_that_would_not_fit_into_memory_are_told_before_they_are_read(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    for name in ("cat", "dog"):
        (tmp_path / "d" / name).mkdir(parents=True)
        image.new("L", (2, 2)).save(tmp_path / "d" / name / "1.png")
    spec = DataSpec(source="d", preprocess=Preprocess(resize=(2**31, 2**31)))

    with pytest.raises(BadInputError, match="EC288") as caught:
        open_data(spec, tmp_path, seed=0)

    (problem,) = caught.value.diagnostics
    assert problem.notes[0].startswith("limit: ") and "found: samples of" in problem.notes[0]
    assert problem.help[0] == "make them smaller: `resize`"


def test_memory_that_runs_out_while_data_is_read_is_no_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hungry(*given: object) -> None:
        raise MemoryError("Unable to allocate 9.00 TiB")

    np.savez(tmp_path / "d.npz", x_train=np.ones((9, 3)))
    monkeypatch.setattr(data_npz, "read", hungry)

    assert (told(tmp_path, "d.npz").code, told(tmp_path, "d.npz").notes) == ("EC288", ("Unable to allocate 9.00 TiB",))


@pytest.mark.parametrize("kind", ["pipe", "device", "huge"])
def test_class_names_are_read_from_small_files_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "labels.txt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)  # a hole, which takes no room
    why = {"pipe": "a named pipe", "device": "a device", "huge": "1099511627776 bytes"}[kind]

    with pytest.raises(BadInputError, match=f"EC284.*{why}"):
        read_labels(path)
