"""Builds of pruned models for the CPU: stored sparse and tried on ARM64, or told why not.

The emulator is this machine's own Python; its times are the test's, no clock is asked.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_networks import project, targets_of

from edgecompile import sparse_proof
from edgecompile.core.progress import Silent
from edgecompile.core.report import Report
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read_file
from edgecompile.libs import arm64_setup, litert
from edgecompile.pipeline import build, check

needs_litert = pytest.mark.skipif(
    not litert.choose("ai-edge-litert").available, reason="ai-edge-litert is not installed: pip install ai-edge-litert"
)


def pruned(*, padded: bool = True, dtype: str = "float32") -> Network:
    """Stem, a 1x1 convolution of which four fifths are zero, mean; ``padded``: as XNNPACK needs it."""
    draw = np.random.default_rng(0)
    net = NetworkBuilder()
    scale = None if dtype == "float32" else 0.05

    def layer(x: int, shape: tuple[int, ...], kernel: tuple[int, ...], zeros: float, **options: Any) -> int:
        values = draw.normal(0, 0.2, kernel)
        values[draw.random(kernel) < zeros] = 0
        whole = dtype != "float32"
        stored = np.round(values * 100).clip(-127, 127).astype(np.int8) if whole else values.astype(np.float32)
        w = net.constant(f"w{len(net.tensors)}", stored, scale=0.01 if whole else None)
        bias = np.zeros(kernel[0], np.int32 if whole else np.float32)
        b = net.constant(f"b{len(net.tensors)}", bias, scale=0.0005 if whole else None)
        return net.op("CONV_2D", [x, w, b], [net.tensor(f"y{len(net.tensors)}", shape, dtype, scale)], **options)

    x = net.input("image", (1, 16, 16, 3), dtype, scale)
    if padded:
        pads = net.constant("pads", np.asarray([(0, 0), (1, 1), (1, 1), (0, 0)], np.int32))
        x = net.op("PAD", [x, pads], [net.tensor("padded", (1, 18, 18, 3), dtype, scale)])
    x = layer(x, (1, 8, 8, 32), (32, 3, 3, 3), 0, padding="VALID" if padded else "SAME", stride_h=2, stride_w=2)
    x = layer(x, (1, 8, 8, 32), (32, 1, 1, 32), 0.8, padding="SAME")
    axes = net.constant("axes", np.asarray([1, 2], np.int32))
    return net.output(net.op("MEAN", [x, axes], [net.tensor("mean", (1, 32), dtype, scale)])).build()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder in which an ARM64 runtime seems to be set up."""
    program = tmp_path / "bin" / arm64_setup.QEMU
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nwhile [ "$1" != "-E" ]; do shift; done; shift; exec {sys.executable} -P "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    place = arm64_setup.place(tmp_path / "cache")
    place.root.mkdir(parents=True)
    (place.root.parent / "ready.json").write_text(arm64_setup._stamp())
    return tmp_path / "cache"


def times(monkeypatch: pytest.MonkeyPatch, dense_s: float, sparse_s: float) -> None:
    answers = iter([dense_s, sparse_s])
    monkeypatch.setattr(sparse_proof, "time_arm64", lambda model, **options: [next(answers)])


def built(folder: Path, network: Network, cache: Path | None, **more: Any) -> Report:
    wanted = project(folder, network, ("android-cpu",), **more)
    (report,) = build(wanted, targets_of(wanted), Silent(), cache=cache)
    return report


def told(report: Report) -> dict[str, Any]:
    return {diagnostic.code: diagnostic for diagnostic in report.diagnostics}


@needs_litert
def test_a_pruned_model_is_stored_sparse_and_tried_on_arm64(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times(monkeypatch, 0.080, 0.036)

    report = built(tmp_path, pruned(), cache)

    emitted = read_file(tmp_path / "build/android-cpu/net.tflite")
    assert sum(tensor.is_sparse for tensor in emitted.main.tensors) == 1
    assert report.status == "verified"
    measure = report.measure("sparse_time_ratio")
    assert measure is not None and (measure.value, "emulated" in measure.method) == (0.45, True)
    assert "36 ms against 80 ms dense" in report.details["sparse weights"]
    assert not {"EC590", "EC591", "EC592"} & set(told(report))


@needs_litert
def test_a_runtime_that_computes_with_the_zeros_is_told(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times(monkeypatch, 0.080, 0.079)

    found = told(built(tmp_path, pruned(), cache))

    assert "limit: 0.9 of the dense model's time, found 0.99" in found["EC592"].notes


@needs_litert
def test_other_outputs_on_arm64_reject_the_model(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = litert.Outputs(arrays=(np.ones((2, 1, 32), np.float32),), outputs=(), inputs=(), described="x", samples=2)
    monkeypatch.setattr(sparse_proof, "invoke_arm64", lambda *given, **options: there)

    report = built(tmp_path, pruned(), cache)

    assert report.status == "rejected"
    assert "leave the weights dense: --no-rewrite sparse_weights" in told(report)["EC773"].help


@pytest.mark.parametrize("absent", ["no set-up", "no cache"])
def test_without_an_arm64_runtime_it_is_said_that_none_tried(tmp_path: Path, absent: str, cache: Path) -> None:
    report = built(tmp_path, pruned(), None if absent == "no cache" else tmp_path / "elsewhere")

    assert "not run: the ARM64 runtime is not set up" in told(report)["EC591"].notes
    assert report.measure("sparse_time_ratio") is None


def test_a_model_that_is_not_in_the_form_is_told_why(tmp_path: Path) -> None:
    wanted = project(tmp_path, pruned(padded=False), ("android-cpu",))

    (report,) = check(wanted, targets_of(wanted), Silent())

    diagnostic = told(report)["EC590"]
    assert diagnostic.message.startswith("81% of the weights of 1x1 convolutions are zero")
    assert any("operator 0, `CONV_2D`: it pads 0 above, 1 below" in note for note in diagnostic.notes)


def test_integers_are_told_to_gain_nothing(tmp_path: Path) -> None:
    wanted = project(tmp_path, pruned(dtype="int8"), ("android-cpu",))

    (report,) = check(wanted, targets_of(wanted), Silent())

    assert any("computes in integers" in note for note in told(report)["EC590"].notes)


def test_who_refuses_the_rewrite_hears_nothing_of_it(tmp_path: Path) -> None:
    report = built(tmp_path, pruned(padded=False), None, no_rewrite=("sparse_weights",))

    assert not {"EC590", "EC591"} & set(told(report))
