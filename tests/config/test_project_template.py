"""The files that a new project starts from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgecompile.config.project import read_project
from edgecompile.config.settings import keys_of
from edgecompile.config.template import examples, write_example, write_starter
from edgecompile.config.toml import parse_toml
from edgecompile.core.errors import BadInputError


def test_the_starter_is_a_project_file_for_the_model(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "new", tmp_path / 'my "model".keras')

    project = read_project(tmp_path / "new" / "edgecompile.toml")
    assert [path.name for path in written.files] == ["edgecompile.toml"]
    assert (tmp_path / "new" / project.model).resolve() == tmp_path / 'my "model".keras'
    assert project.targets


def test_the_starter_shows_every_setting_and_each_is_true_when_uncommented(tmp_path: Path) -> None:
    write_starter(tmp_path)
    path = tmp_path / "edgecompile.toml"
    text = re.sub(r"^# ?(?=\[|\w+ *= )", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")

    read_project(path)

    shown = parse_toml(text.encode(), "edgecompile.toml")
    for table in ("project", "data", "accuracy", "budget", "compiler", "android"):
        assert set(shown[table]) - {"preprocess", "features"} == set(keys_of(table))
    assert set(shown["data"]["preprocess"]) == set(keys_of("data.preprocess"))
    assert set(shown["data"]["features"]) == set(keys_of("data.features"))


@pytest.mark.parametrize("name", examples())
def test_an_example_has_a_project_file_and_a_script(tmp_path: Path, name: str) -> None:
    written = write_example(name, tmp_path)

    project = read_project(tmp_path / "edgecompile.toml")
    assert written.script is not None
    compile((tmp_path / written.script).read_text(encoding="utf-8"), written.script, "exec")
    assert all(path.is_file() for path in written.files)
    assert project.model and project.targets and project.data.source


def test_a_file_that_is_there_is_never_overwritten_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")

    with pytest.raises(BadInputError) as caught:
        write_example("digits", tmp_path)

    assert caught.value.diagnostics[0].code == "EC134"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.py"]
    assert (tmp_path / "train.py").read_text() == "mine"


def test_force_overwrites(tmp_path: Path) -> None:
    (tmp_path / "edgecompile.toml").write_text("mine")

    write_starter(tmp_path, force=True)

    assert "[project]" in (tmp_path / "edgecompile.toml").read_text()


def test_an_unknown_example_is_told_with_the_near_name(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        write_example("digit", tmp_path)

    assert caught.value.diagnostics[0].code == "EC135"
    assert caught.value.diagnostics[0].help == ("did you mean `digits`?",)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BadInputError) as caught:
        write_starter(tmp_path / "file" / "new")

    assert caught.value.diagnostics[0].code == "EC136"


@pytest.mark.tensorflow
@pytest.mark.slow
def test_the_digits_example_trains_to_a_model_that_reads_digits(tmp_path: Path) -> None:
    written = write_example("digits", tmp_path)
    assert written.script is not None

    finished = subprocess.run(
        [sys.executable, written.script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )

    assert finished.returncode == 0, finished.stderr
    found = re.search(r"accuracy on 359 test images: ([\d.]+)", finished.stdout)
    assert found is not None
    assert float(found[1]) > 0.95
    assert (tmp_path / "digits.keras").is_file() and (tmp_path / "digits.npz").is_file()
