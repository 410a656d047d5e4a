"""Dependency files, read back by the programs they are for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.emit import depfile

NAMES = {
    "plain": "model.keras",
    "space": "my model.keras",
    "hash": "model#2.keras",
    "dollar": "mo$del.keras",
    "colon": "a:b.keras",
    "backslash": "a\\b.keras",
    "backslash before space": "a\\ b.keras",
    "accents": "modèle.keras",
    "brackets": "m(1)[2].keras",
}


def test_outputs_come_before_inputs_sorted_and_once() -> None:
    text = depfile.render([Path("out/b"), Path("out/a")], [Path("y"), Path("x"), Path("y")])

    assert text == "out/a out/b: \\\n  x \\\n  y\n"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_rebuilds_when_an_input_changes_and_only_then(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_text("1")
    (tmp_path / "out").write_text("made")
    depfile.write(tmp_path / "out.d", [Path("out")], [Path(name)])
    (tmp_path / "Makefile").write_text("all: out\nout:\n\t@echo built\n\t@touch out\n-include out.d\n")

    def make() -> str:
        done = subprocess.run(["make", "-s"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    os.utime(source, (1, 1))
    assert make() == ""
    os.utime(tmp_path / "out", (1, 1))
    os.utime(source, (2, 2))
    assert make() == "built\n"


def test_a_depfile_that_would_not_change_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "kws.d"

    assert depfile.write(path, [Path("out")], [Path("in")])
    inode = path.stat().st_ino
    assert not depfile.write(path, [Path("out")], [Path("in")])
    assert path.stat().st_ino == inode
    assert depfile.write(path, [Path("out")], [Path("in"), Path("other")])
    assert os.listdir(tmp_path) == ["kws.d"]


def test_a_line_break_in_a_name_is_ec637() -> None:
    with pytest.raises(BadInputError, match="EC637"):
        depfile.render([Path("out")], [Path("a\nb")])


def test_a_depfile_in_a_missing_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BadInputError, match="EC632"):
        depfile.write(tmp_path / "file" / "kws.d", [Path("out")], [Path("in")])
    with pytest.raises(BadInputError, match="EC635"):
        depfile.write(tmp_path / "absent" / "kws.d", [Path("out")], [Path("in")])


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.skipif(shutil.which("ninja") is None, reason="ninja is not installed")
def test_ninja_rebuilds_when_an_input_changes_and_only_then(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("1")
    os.utime(tmp_path / name, (1, 1))
    depfile.write(tmp_path / "made.d", [Path("out")], [Path(name)])
    rule = "rule make\n  command = cp made.d out.d && touch out\n  depfile = out.d\nbuild out: make\n"
    (tmp_path / "build.ninja").write_text(rule)

    def ninja() -> str:
        done = subprocess.run(["ninja", "--quiet", "-d", "explain"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    ninja()
    assert "out" not in ninja()
    os.utime(tmp_path / name, (2**32, 2**32))
    assert name in ninja()
