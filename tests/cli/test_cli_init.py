"""`init`: a project file, or an example whose script is run."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from edgecompile.cli import init
from edgecompile.cli.main import main
from edgecompile.config import template


@pytest.fixture
def small_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digits example without TensorFlow: its script is what a test puts there."""
    monkeypatch.setattr(init, "_NEEDED", ())


def with_script(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = template.write_example

    def write(name: str, folder: Path, force: bool = False) -> template.Written:
        written = real(name, folder, force)
        (folder / "train.py").write_text(text)
        return written

    monkeypatch.setattr(template, "write_example", write)


def test_a_starter_names_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["init", str(tmp_path / "new"), "--model", str(tmp_path / "kws.keras")])

    out, err = capsys.readouterr()
    assert exit_code == 0
    assert out == f"{tmp_path / 'new' / 'edgecompile.toml'}\n"
    assert "../kws.keras" in (tmp_path / "new" / "edgecompile.toml").read_text()
    assert "edgecompile build" in err


def test_what_is_there_is_kept_unless_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "edgecompile.toml").write_text("mine")

    assert main(["init", str(tmp_path)]) == 2
    assert "error[EC134]" in capsys.readouterr().err
    assert (tmp_path / "edgecompile.toml").read_text() == "mine"
    assert main(["init", str(tmp_path), "--force"]) == 0


def test_an_unknown_example_gets_its_near_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["init", str(tmp_path / "x"), "--example", "digit"])

    assert exit_code == 2
    assert "did you mean `digits`?" in capsys.readouterr().err


def test_an_example_is_trained_and_says_how_good_it_is(
    tmp_path: Path, small_example: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_script("print('epoch 1'); print('accuracy on 3 test images: 1.0'); print('wrote x')", monkeypatch)

    exit_code = main(["init", str(tmp_path / "digits"), "--example", "digits", "--json"])

    out, err = capsys.readouterr()
    assert exit_code == 0
    assert "accuracy on 3 test images: 1.0" in err
    assert str(tmp_path / "digits" / "train.py") in json.loads(out)["files"]


@pytest.mark.parametrize(
    "script, ended",
    [
        pytest.param("raise ValueError('no data')", "exit code 1", id="exception"),
        pytest.param(f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})", "exit code -9", id="killed"),
    ],
)
def test_a_script_that_fails_is_quoted(
    script: str,
    ended: str,
    tmp_path: Path,
    small_example: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_script(script, monkeypatch)

    exit_code = main(["init", str(tmp_path / "digits"), "--example", "digits"])

    err = capsys.readouterr().err
    assert exit_code == 2
    assert "error[EC109]" in err
    assert ended in err
    assert f"{sys.executable} train.py" in err


def test_without_the_libraries_the_example_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(init, "_NEEDED", (("there_is_no_such_module", "no-such-distribution"),))

    exit_code = main(["init", str(tmp_path / "digits"), "--example", "digits"])

    err = capsys.readouterr().err
    assert exit_code == 3
    assert "error[EC190]" in err
    assert "pip install" in err


def test_the_files_alone_need_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "_NEEDED", (("there_is_no_such_module", "no-such-distribution"),))

    assert main(["init", str(tmp_path / "digits"), "--example", "digits", "--no-train"]) == 0
