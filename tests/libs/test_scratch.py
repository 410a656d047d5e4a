"""Temporary files of a run: gone with it, and gone with the next one where it was killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.libs.scratch import scratch, sweep

_KEPT = """
import sys, tempfile
from edgecompile.core.errors import BadInputError
from edgecompile.libs.scratch import scratch
with scratch():
    open(tempfile.mkdtemp() + "/big", "w").write("x")
    print("here", flush=True)
    sys.stdin.read()
"""


@pytest.fixture()
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def started(place: Path) -> subprocess.Popen[str]:
    """A run that has made something and waits."""
    environment = {**os.environ, "TMPDIR": str(place)}
    process = subprocess.Popen(
        [sys.executable, "-c", _KEPT], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "here\n"
    return process


def test_what_a_run_leaves_goes_with_it(place: Path) -> None:
    with scratch():
        made = Path(tempfile.mkdtemp())
        (made / "file").write_text("x")
        assert place in made.parents

    assert list(place.iterdir()) == []
    assert tempfile.gettempdir() == str(place)


def test_the_folder_of_a_killed_run_goes_with_the_next_one(place: Path) -> None:
    process = started(place)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    left = list(place.iterdir())

    with scratch():
        during = list(place.iterdir())

    assert len(left) == 1
    assert left[0] not in during and list(place.iterdir()) == []


def test_the_folder_of_a_run_that_goes_on_stays(place: Path) -> None:
    process = started(place)

    sweep(place)
    with scratch():
        pass

    (folder,) = place.iterdir()
    assert [path.read_text() for path in folder.rglob("big")] == ["x"]
    process.communicate("")
    assert list(place.iterdir()) == []


def test_what_is_not_a_folder_of_a_run_stays(place: Path) -> None:
    other = place / "elsewhere"
    other.mkdir()
    (other / ".lock").touch()
    (place / "edgecompile-run-link").symlink_to(other)
    (place / "edgecompile-run-new").mkdir()  # its run has not made the lock yet
    (place / "edgecompile-run-file").touch()

    sweep(place)

    assert len(list(place.iterdir())) == 4
    assert (other / ".lock").exists()


def test_without_room_for_a_folder_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")

    with scratch():
        assert tempfile.tempdir == "/proc/nowhere"


def test_without_any_place_for_temporary_files_the_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", full)

    with pytest.raises(BadInputError, match="EC107"), scratch():
        pass
