"""Flash, RAM and time that reports state for a Cortex-M target: those of its C library, predicted and measured."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgecompile import pipeline
from edgecompile.config.profiles import load
from edgecompile.core.diagnostic import Severity
from edgecompile.core.progress import Silent
from edgecompile.core.project import Budget, Project
from edgecompile.core.report import Report
from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder
from edgecompile.libs import programs
from edgecompile.measure.board import counter
from edgecompile.report.html import render as page
from edgecompile.report.text import brief, render

needs_board = pytest.mark.skipif(
    not all(map(shutil.which, ("arm-none-eabi-gcc", "make", "qemu-system-arm"))),
    reason="arm-none-eabi-gcc, make or qemu-system-arm is missing",
)
needs_compiler = pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is missing")


def project(folder: Path, target: str, **fields: object) -> Project:
    build, draw = NetworkBuilder(), np.random.default_rng(3)
    x = build.input("x", (1, 12, 12, 4), "int8", scale=0.05, zero_point=-7)
    w = build.constant("w", draw.integers(-127, 128, (16, 3, 3, 4)).astype(np.int8), scale=[0.01] * 16, axis=0)
    y = build.tensor("wide", (1, 12, 12, 16), "int8", scale=0.4, zero_point=5)
    v = build.constant("v", draw.integers(-127, 128, (5, 2304)).astype(np.int8), scale=0.01)
    z = build.tensor("logits", (1, 5), "int8", scale=0.5, zero_point=3)
    build.op("CONV_2D", [x, w], [y], padding="SAME", stride_h=1, stride_w=1, dilation_h_factor=1, dilation_w_factor=1)
    build.op("FULLY_CONNECTED", [y, v], [z])
    (folder / "small.tflite").write_bytes(writer.write(build.output(z).build()))
    plain = Project(model=str(folder / "small.tflite"), base=folder, targets=(target,), output=folder / "out")
    return dataclasses.replace(plain, **fields)


def checked(folder: Path, target: str, **fields: object) -> Report:
    (report,) = pipeline.check(project(folder, target, **fields), [load(target)], Silent())
    return report


def built(folder: Path, target: str, **fields: object) -> Report:
    (report,) = pipeline.build(project(folder, target, **fields), [load(target)], Silent())
    return report


def value(report: Report, name: str) -> int:
    measure = report.measure(name)
    assert measure is not None and measure.value is not None, name
    return int(measure.value)


def test_check_predicts_the_library_and_tells_the_interpreter_beside_it(tmp_path: Path) -> None:
    report = checked(tmp_path, "cortex-m4")

    flash, ram = report.measure("flash_bytes"), report.measure("ram_bytes")
    assert flash is not None and "leave-one-out error" in flash.method
    assert ram is not None and "stack" in ram.method
    assert 12_000 < value(report, "flash_bytes") < 25_000 < value(report, "interpreter_flash_bytes")
    assert value(report, "arena_bytes") < value(report, "ram_bytes") < value(report, "interpreter_ram_bytes")
    assert {row["layer"] for row in report.details["flash of the C library"]} == {"wide", "logits"}


@needs_compiler
def test_a_build_for_a_core_measures_what_check_predicted(tmp_path: Path) -> None:
    predicted = checked(tmp_path, "cortex-m4")

    report = built(tmp_path, "cortex-m4")

    flash = report.measure("flash_bytes")
    assert flash is not None and flash.method.startswith("measured (linked for cortex-m4 by arm-none-eabi-gcc")
    assert value(report, "flash_bytes") == pytest.approx(value(predicted, "flash_bytes"), rel=0.15)
    # The probe's arena is aligned to 8 bytes.
    parts = value(report, "arena_bytes") + value(report, "stack_bytes")
    assert parts <= value(report, "ram_bytes") < parts + 8


@needs_compiler
@pytest.mark.micro
def test_what_is_measured_is_held_against_the_budget(tmp_path: Path) -> None:
    needed = value(built(tmp_path, "cortex-m4"), "flash_bytes")

    fits = built(tmp_path, "cortex-m4", budget=Budget(flash_bytes=needed))
    over = built(tmp_path, "cortex-m4", budget=Budget(flash_bytes=needed - 1))

    assert fits.status == "verified"
    assert not any(d.code == "EC601" for d in fits.diagnostics)
    assert over.status == "rejected"
    assert [d.code for d in over.diagnostics if d.severity is Severity.ERROR] == ["EC601"]


def test_a_little_too_much_is_a_warning_while_code_is_only_predicted(tmp_path: Path) -> None:
    predicted = value(checked(tmp_path, "cortex-m4"), "flash_bytes")

    little = checked(tmp_path, "cortex-m4", budget=Budget(flash_bytes=predicted - 10))
    much = checked(tmp_path, "cortex-m4", budget=Budget(flash_bytes=predicted // 2))

    assert [d.severity for d in little.diagnostics if d.code == "EC601"] == [Severity.WARNING]
    assert [d.severity for d in much.diagnostics if d.code == "EC601"] == [Severity.ERROR]
    assert (little.status, much.status) == ("built", "rejected")


@pytest.mark.micro
def test_without_a_cross_compiler_a_build_keeps_the_prediction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = programs.find
    monkeypatch.setattr(programs, "find", lambda name: None if name.startswith("arm-") else find(name))

    report = built(tmp_path, "cortex-m4")

    flash = report.measure("flash_bytes")
    assert report.status == "verified"
    assert flash is not None and flash.method.startswith("predicted")


@pytest.mark.parametrize(
    ("target", "name"), [("nucleo-l4r5zi", "latency_ms"), ("cortex-m4", "cycles"), ("qemu-m4", None)]
)
def test_time_is_predicted_with_its_error(tmp_path: Path, target: str, name: str | None) -> None:
    report = checked(tmp_path, target)

    told = [report.measure(one) for one in ("latency_ms", "cycles")]
    assert [one.name for one in told if one is not None] == ([name] if name else [])
    if name is not None:
        (measure,) = (one for one in told if one is not None)
        assert measure.value and "leave-one-out error" in measure.method
        rows = report.details["time of the C library"]
        assert [row["operator"] for row in rows] == ["CONV_2D", "FULLY_CONNECTED"]


def test_instructions_of_each_operator_say_that_they_are_predicted(tmp_path: Path) -> None:
    report = checked(tmp_path, "nucleo-l4r5zi")

    how = report.details["obtained"]["time of the C library"]
    assert how.startswith("instructions: predicted: from counts of ")
    assert how in " ".join(render(report).split()) and "Instructions: predicted: from counts of" in page(report)


@needs_board
@pytest.mark.parametrize("plugin", [True, False], ids=["by-operator", "whole-runs-only"])
def test_instructions_of_each_operator_are_counted_where_the_emulator_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: bool
) -> None:
    if not plugin:
        monkeypatch.setattr(counter, "plugin", lambda: None)

    report = built(tmp_path, "nucleo-l4r5zi")

    rows, how = report.details["time of the C library"], report.details["obtained"]["time of the C library"]
    assert [row["operator"] for row in rows] == ["CONV_2D", "FULLY_CONNECTED"]
    # A mark takes about five instructions; the timer counts in steps of tens.
    assert sum(row["instructions"] for row in rows) == pytest.approx(value(report, "instructions"), abs=20)
    assert ("each times one factor" in how) is not plugin
    assert how.startswith("instructions: simulated: " if plugin else "instructions: predicted by operator")


def test_without_a_c_library_the_bars_say_whose_figures_they_show(tmp_path: Path) -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "float32")
    build.op("COS", [x], [z := build.tensor("z", (1, 4), "float32")], version=1)
    build.op("ATAN2", [x, z], [y := build.tensor("y", (1, 4), "float32")], version=1)
    (made := tmp_path / "c").mkdir()
    found = project(tmp_path, "nucleo-l4r5zi")
    (tmp_path / "small.tflite").write_bytes(writer.write(build.output(y).build()))

    with_c = checked(made, "nucleo-l4r5zi")
    (without,) = pipeline.check(found, [load("nucleo-l4r5zi")], Silent())

    assert without.details["interpreter"].startswith("TensorFlow Lite Micro")
    assert all("predicted, if interpreted" in text for text in (brief(without), page(without)))
    assert "predicted, if interpreted" not in brief(with_c) + page(with_c)
