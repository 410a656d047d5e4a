"""`init --example android`: an app whose Gradle build makes the model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edgecompile.cli.main import main
from edgecompile.config.project import read_project
from edgecompile.config.template import write_example
from edgecompile.emit.android.start import write_script


def test_the_android_example_is_an_app_that_applies_the_script_it_gets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = main(["init", str(tmp_path / "app"), "--example", "android", "--no-train", "--json"])

    files = [
        Path(name).relative_to(tmp_path / "app").as_posix() for name in json.loads(capsys.readouterr().out)["files"]
    ]
    assert exit_code == 0
    assert all((tmp_path / "app" / name).is_file() for name in files)
    assert {"settings.gradle", "app/build.gradle", "app/edgecompile.gradle", "app/src/main/AndroidManifest.xml"} < set(
        files
    )
    assert "apply from: 'edgecompile.gradle'" in (tmp_path / "app/app/build.gradle").read_text()
    script = (tmp_path / "app/app/edgecompile.gradle").read_text()
    assert "'--project', 'edgecompile.toml', '--target', 'android-nnapi', '--emit', 'java'" in script
    assert "['digits.keras', 'digits.npz', 'labels.txt', 'edgecompile.toml']" in script
    assert str(tmp_path) not in script


def test_files_of_the_android_example_are_named_as_the_folder_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    main(["init", "app", "--example", "android", "--no-train"])

    files = capsys.readouterr().out.splitlines()
    assert "app/app/edgecompile.gradle" in files
    assert all(name.startswith("app/") for name in files)


def test_the_apps_sources_are_in_the_package_that_the_wrapper_gets(tmp_path: Path) -> None:
    write_example("android", tmp_path)

    package = read_project(tmp_path / "edgecompile.toml").android.package
    sources = sorted((tmp_path / "app/src/main/java").rglob("*.java"))
    assert package is not None
    assert {path.parent for path in sources} == {tmp_path / "app/src/main/java" / package.replace(".", "/")}
    assert all(re.search(rf"^package {re.escape(package)};$", path.read_text(), re.MULTILINE) for path in sources)
    assert f"namespace '{package}'" in (tmp_path / "app/build.gradle").read_text()


def test_a_project_without_an_app_gets_no_script(tmp_path: Path) -> None:
    write_example("digits", tmp_path)

    assert write_script(read_project(tmp_path / "edgecompile.toml")) is None
