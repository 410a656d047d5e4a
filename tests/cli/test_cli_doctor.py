"""`doctor`: what is here, what is not, and the command that gets it."""

from __future__ import annotations

import json
import platform

import numpy as np
import pytest

from edgecompile.cli.main import main


def test_doctor_knows_versions_and_what_runs_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["doctor", "--json"])

    plain = json.loads(capsys.readouterr().out)
    assert exit_code == 0
    assert plain["python"] == platform.python_version()
    assert set(plain["interpreters"]) == {"tflite", "tflite-micro"}
    found = {library["name"]: library["found"] for library in plain["libraries"]}
    assert found["numpy"] == np.__version__


def test_what_is_missing_is_told_with_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    main(["doctor"])

    lines = capsys.readouterr().out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.split()[:1] == ["qemu-system-arm"])
    assert lines[at].endswith("missing")
    assert lines[at + 2].strip() == "get: apt-get install qemu-system-arm"
    at = next(index for index, line in enumerate(lines) if line.split()[:1] == ["gcc"])
    assert max(map(len, lines[at:])) <= 80
