"""Files beside what is printed: whole or not at all, and what is no file stays what it is."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest

from edgecompile.cli.files import write_file
from edgecompile.cli.main import main
from edgecompile.cli.run_outputs import save_outputs
from edgecompile.core.errors import BadInputError
from edgecompile.emit import depfile

OUTPUTS = {"y": np.ones((2, 3), np.float32)}


def test_a_page_is_written_whole_over_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("old")

    write_file(str(tmp_path / "r.html"), "new")

    assert (tmp_path / "r.html").read_text() == "new"
    assert os.listdir(tmp_path) == ["r.html"]


def test_a_page_that_cannot_be_written_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.html").write_text("old")
    monkeypatch.setattr(Path, "write_text", _full)

    with pytest.raises(BadInputError, match=r"EC803.*no space left"):
        write_file(str(tmp_path / "r.html"), "new")

    assert (tmp_path / "r.html").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["r.html"]


def _full(path: Path, text: str, encoding: str, errors: str) -> None:
    path.write_bytes(text[:1].encode())
    raise OSError(28, "No space left on device")


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to("there")

    write_file(str(tmp_path / "link"), "new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"


@pytest.mark.parametrize("what", ["page", "depfile"])
def test_a_pipe_is_given_the_text_and_stays_a_pipe(what: str, tmp_path: Path) -> None:
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()), daemon=True)
    reader.start()

    if what == "page":
        write_file(str(pipe), "text")
    else:
        depfile.write(pipe, [Path("out")], [Path("in")])

    reader.join(timeout=10)
    assert heard == ["text" if what == "page" else "out: \\\n  in\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_outputs_do_not_take_the_place_of_a_pipe_or_a_device(tmp_path: Path) -> None:
    pipe = tmp_path / "out.npz"
    os.mkfifo(pipe)

    with pytest.raises(BadInputError, match=r"EC107.*a pipe or a device, not a file"):
        save_outputs(str(pipe), OUTPUTS)

    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["out.npz"]


def test_a_name_that_no_system_takes_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="EC107"):
        save_outputs(str(tmp_path / "a\0b"), OUTPUTS)


@pytest.mark.parametrize("option", ["--html", "--depfile"])
@pytest.mark.parametrize("place", ["gone/file", "."], ids=["no-folder", "a-folder"])
def test_a_file_that_cannot_be_written_is_told_before_the_work(
    option: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code = main(["build", "m.tflite", "-t", "coral", option, place])

    assert code == 2
    assert "error[EC803]" in capsys.readouterr().err
