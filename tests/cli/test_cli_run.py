"""`run`: what was built, on given inputs, by the interpreter that the target's judge names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgecompile.cli.main import main
from edgecompile.libs.litert import choose


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    """A build of a model with one int8 input, as `build` leaves it."""
    model = next((data / "tflite").glob("*miniresnet_1stacks_64x50_tl_int8.tflite"))
    (tmp_path / "m.tflite").write_bytes(model.read_bytes())
    report = {"target": "coral", "artifacts": [{"path": "m.tflite"}]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    return tmp_path


@pytest.mark.data
def test_outputs_are_printed_and_saved_and_name_their_interpreter(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(folder / "in.npz", x_test=np.zeros((12, 64, 50, 1), np.float32))

    words = ["run", str(folder), "--on", "host", "--inputs", str(folder / "in.npz"), "--save", str(folder / "out.npz")]
    exit_code = main(words)

    out, err = capsys.readouterr()
    assert exit_code == 0
    assert str(choose("tflite")) in " ".join(err.split())
    assert "  sample 9: largest" in out
    assert "and 2 more" in out
    with np.load(folder / "out.npz") as saved:
        assert [len(saved[name]) for name in saved.files] == [12]


@pytest.mark.data
@pytest.mark.parametrize("place", ["no/folder/out.npz", "."], ids=["no folder", "a folder"])
def test_outputs_that_cannot_be_saved_are_told_and_leave_nothing(
    place: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folder / "in.npy", np.zeros((1, 64, 50, 1), np.float32))
    before = sorted(folder.rglob("*"))

    words = ["run", str(folder), "--on", "host", "--inputs", str(folder / "in.npy"), "--save", str(folder / place)]
    exit_code = main(words)

    assert exit_code == 2
    assert "error[EC107]" in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.data
def test_outputs_and_latency_are_one_json_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(folder / "in.npy", np.zeros((1, 64, 50, 1), np.float32))

    main(["run", str(folder), "--on", "host", "--inputs", str(folder / "in.npy"), "--bench", "--runs", "3", "--json"])

    plain = json.loads(capsys.readouterr().out)
    assert len(plain["outputs"]) == 1
    assert plain["bench"]["runs"] == 3
    assert 0 < plain["bench"]["min_ms"] <= plain["bench"]["median_ms"] <= plain["bench"]["p95_ms"]


@pytest.mark.data
@pytest.mark.parametrize(
    "shape, code",
    [pytest.param((2, 3, 3), "EC701", id="wrong-shape"), pytest.param((), "EC111", id="no-samples")],
)
def test_inputs_that_do_not_fit_are_refused(
    shape: tuple[int, ...], code: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folder / "in.npy", np.zeros(shape, np.float32))

    exit_code = main(["run", str(folder), "--on", "host", "--inputs", str(folder / "in.npy")])

    assert exit_code == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_a_folder_without_a_build_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["run", str(tmp_path), "--on", "host", "--bench"])

    assert exit_code == 2
    assert "error[EC110]" in capsys.readouterr().err


def test_a_missing_folder_is_told_before_missing_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["run", str(tmp_path / "nowhere"), "--on", "host"])

    err = capsys.readouterr().err
    assert exit_code == 2
    assert "error[EC110]" in err and "there is no such folder" in err
    assert "EC103" not in err


def test_inputs_or_a_bench_are_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.tflite").touch()

    exit_code = main(["run", str(tmp_path / "m.tflite"), "--on", "host"])

    assert exit_code == 2
    assert "error[EC103]: `--inputs` is missing" in capsys.readouterr().err
