"""Builds for accelerators: rewrites made and refused, and the device's own compiler found, absent or broken."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from pipeline_networks import project, targets_of

from edgecompile.core.progress import Silent
from edgecompile.core.project import ExternalCompiler, Project
from edgecompile.core.report import Report
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read_file
from edgecompile.pipeline import build

PYTHON = sys.executable


def leaky() -> Network:
    """LEAKY_RELU between operators that Coral takes."""
    net = NetworkBuilder()
    x = net.input("x", (1, 4, 4, 4), "int8", scale=0.1)
    y = net.tensor("m/leaky/y", (1, 4, 4, 4), "int8", scale=0.1)
    net.op("LEAKY_RELU", [x], [y], alpha=0.25)
    z = net.tensor("z", (1, 4, 4, 4), "int8", scale=1 / 256, zero_point=-128)
    net.op("LOGISTIC", [y], [z])
    return net.output(z).build()


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search path without any compiler on it."""
    monkeypatch.setenv("PATH", str(tmp_path))


def built(wanted: Project) -> Report:
    """The report of the one target."""
    (report,) = build(wanted, targets_of(wanted), Silent())
    return report


def value(report: Report, name: str) -> float | None:
    measure = report.measure(name)
    return measure.value if measure is not None else None


def test_a_rewrite_is_made_listed_and_verified(tmp_path: Path) -> None:
    report = built(project(tmp_path, leaky(), ("coral",)))

    assert value(report, "operators_on_cpu") == 0
    (line,) = report.details["rewrites"]
    assert line.startswith("leaky_relu: 1 LEAKY_RELU; ") and line.endswith("off the accelerator: 1 -> 0")
    emitted = read_file(tmp_path / "build" / "coral" / "net.tflite")
    assert [operator.name for operator in emitted.main.operators] == ["PRELU", "LOGISTIC"]
    assert "Rewrites" in (tmp_path / "build" / "coral" / "report.txt").read_text()


def test_a_rewrite_that_is_refused_leaves_the_operator_to_the_cpu(tmp_path: Path) -> None:
    report = built(project(tmp_path, leaky(), ("coral",), no_rewrite=("leaky_relu",)))

    assert value(report, "operators_on_cpu") == 1
    assert "rewrites" not in report.details


def test_a_compiler_that_crashes_leaves_a_build_with_a_warning(tmp_path: Path) -> None:
    command = f"{PYTHON} -c 'import os; os.abort()'"
    wanted = project(tmp_path, leaky(), ("coral",), compiler=ExternalCompiler(command=command))

    report = built(wanted)

    assert report.status in ("built", "verified")
    assert [d.code for d in report.diagnostics if d.severity.value == "warning"] == ["EC573"]
    assert (tmp_path / "build" / "coral" / "net.tflite").is_file()


def test_a_compiler_that_is_not_wanted_is_not_run(tmp_path: Path) -> None:
    never = ExternalCompiler(command="no-such-program", enabled=False)

    report = built(project(tmp_path, leaky(), ("coral",), compiler=never))

    assert "device" not in [stage.name for stage in report.stages]


def test_without_vela_an_ethos_build_writes_the_model_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgecompile.libs.programs.find", lambda name: None)

    report = built(project(tmp_path, leaky(), ("ethos-u55-128",)))

    assert "EC572" in [diagnostic.code for diagnostic in report.diagnostics]
    assert (tmp_path / "build" / "ethos-u55-128" / "net.tflite").is_file()
    assert value(report, "operators_on_cpu") == 0


def test_what_the_compiler_made_is_an_artifact_and_its_figures_count(tmp_path: Path) -> None:
    pytest.importorskip("ethosu", reason="`pip install ethos-u-vela` is not done here")

    report = built(project(tmp_path, leaky(), ("ethos-u55-128",)))

    written = json.loads((tmp_path / "build" / "ethos-u55-128" / "report.json").read_text())
    assert ("net_vela.tflite", "vela_tflite") in [(a["path"], a["kind"]) for a in written["artifacts"]]
    assert report.versions["compiled by"].startswith("Vela ")
    cycles = report.measure("cycles")
    assert cycles is not None and cycles.value and cycles.method.startswith("predicted by Vela ")
    (on_cpu,) = [measure for measure in report.measures if measure.name == "operators_on_cpu"]
    assert on_cpu.method == f"counted in the model that {report.versions['compiled by']} wrote"
