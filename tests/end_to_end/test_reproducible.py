"""Builds that are compared byte for byte, and the bill of what they were made of."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from pipeline_networks import project, targets_of

from edgecompile.cli.main import main
from edgecompile.core.progress import Silent
from edgecompile.core.project import DataSpec, Project
from edgecompile.core.report import Report
from edgecompile.pipeline import build


def built(wanted: Project, beside: Path | None = None) -> Report:
    (report,) = build(wanted, targets_of(wanted), Silent(), beside=beside)
    return report


def test_a_build_that_equals_its_twin_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path / "cache"))

    assert main(["build", "net.tflite", "-t", "cortex-m4", "-o", "build", "--verify-reproducible"]) == 0

    said = " ".join(capsys.readouterr().err.split())
    told = json.loads((wanted.output / "cortex-m4" / "report.json").read_text())["details"]["reproducible"]
    assert told.startswith("built twice, ")
    assert told.endswith(" files equal in every byte")
    assert "Compare with a build without cache" in said
    assert said.count("files equal in every byte") == 2


@pytest.mark.parametrize(
    ("change", "note"),
    [
        pytest.param(lambda old: old[:100] + b"?" + old[101:], "byte 100;", id="another byte"),
        pytest.param(lambda old: old[:100], "byte 100;", id="cut short"),
        pytest.param(None, "only one of the two builds wrote it", id="a file that only one has"),
    ],
)
def test_the_first_difference_is_named_and_nothing_is_written(tmp_path: Path, change: object, note: str) -> None:
    wanted = project(tmp_path)
    built(wanted)
    source = tmp_path / "build" / "cortex-m4" / "net.c"
    if callable(change):
        source.write_bytes(change(source.read_bytes()))
    else:
        source.unlink()

    report = built(dataclasses.replace(wanted, output=tmp_path / "other"), tmp_path / "build")

    assert report.status == "rejected"
    (told,) = [one for one in report.diagnostics if one.code == "EC824"]
    assert "`net.c`" in told.message
    assert note in told.notes[0]
    assert not (tmp_path / "other").exists()


def test_the_report_has_a_bill_of_what_went_in(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((8, 8, 8, 3), dtype=np.float32)
    np.savez(tmp_path / "data.npz", x_train=x, x_test=x)
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\n")
    wanted = project(tmp_path, data=DataSpec(source="data.npz", labels="labels.txt", calibration_samples=2))

    bill = built(wanted).details["inputs"]

    files = {"model": "net.tflite", "data": "data.npz", "labels": "labels.txt"}
    for what, name in files.items():
        sha256 = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert {"input": what, "name": name, "sha256": sha256} in bill
    assert bill[-1]["input"] == "profile"
    assert bill[-1]["name"] == "cortex-m4"


def test_the_bill_is_the_same_in_another_folder(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        folder.mkdir()

    first, second = (built(project(folder)).details["inputs"] for folder in folders)

    assert first == second
