"""Latency on this machine: what the figures are, not how large."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "libs"))
import one_operator

from edgecompile.core.errors import MissingError, RejectedError
from edgecompile.measure.host import bench, summarize


def test_figures_are_those_of_the_durations() -> None:
    runs_s = [0.001 * value for value in range(1, 101)]

    found = summarize([0.5, 0.3, 0.1], runs_s, 2, "some interpreter")

    assert found.median_ms == pytest.approx(50.5)
    assert found.p95_ms == pytest.approx(95)  # 95 of 100 are no slower
    assert found.min_ms == pytest.approx(1)
    assert (found.first_ms, found.warm_up_median_ms, found.warm_up) == (500, 300, 3)
    assert found.measure().method == "measured: this machine, some interpreter, 2 threads, median of 100 runs"


def test_bench_keeps_warm_up_out_of_the_runs() -> None:
    found = bench(one_operator.relu((1, 16)), runs=7, warm_up=2)

    assert (found.runs, found.warm_up, found.threads) == (7, 2, 1)
    assert 0 < found.min_ms <= found.median_ms <= found.p95_ms
    assert "resolver AUTO" in found.described


def test_bench_feeds_every_kind_of_input() -> None:
    table = np.arange(6, dtype=np.float32).reshape(3, 2)

    for model in (one_operator.relu((1, 4), dtype="int8", scale=0.5), one_operator.gather(table, 2)):
        assert bench(model, runs=1, warm_up=1).runs == 1


def test_a_model_that_the_interpreter_does_not_take_is_ec702() -> None:
    with pytest.raises(RejectedError, match="EC702"):
        bench(one_operator.custom("Mystery"))


def test_without_an_interpreter_bench_is_ec190(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)

    with pytest.raises(MissingError, match="EC190"):
        bench(b"")
