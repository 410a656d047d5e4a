"""Verdicts against what the real compilers and runtimes did: public pairs of Edge TPU models, TFLM's own models."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from edgecompile.config.profiles import load
from edgecompile.ir.reader import read
from edgecompile.legalize.check import check

pytestmark = pytest.mark.data


def test_operators_left_on_the_cpu_are_those_of_the_edge_tpu_compiler(data: Path) -> None:
    pairs = json.loads((data / "coral" / "ground_truth.json").read_text(encoding="utf-8"))["pairs"]
    coral = load("coral")

    for pair in pairs:
        verdict = check(read((data / "coral" / pair["file"]).read_bytes()), coral, pair["file"])

        left = Counter(placed.name for placed in verdict.placements if placed.where == "cpu")
        assert left == Counter(operator["op"] for operator in pair["cpu_ops"]), pair["id"]
        assert verdict.partitions_kept == 1, pair["id"]


def test_models_that_run_on_tflm_are_accepted(data: Path) -> None:
    cortex_m4 = load("cortex-m4")
    names = ("ad01_int8", "hello_world_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")

    for name in names:
        verdict = check(read((data / "cortexm" / f"{name}.tflite").read_bytes()), cortex_m4, name)

        assert verdict.diagnostics == (), name


def test_a_float_model_on_coral_is_one_cause(data: Path) -> None:
    (path,) = (data / "tflite").glob("*vww_96_float.tflite")

    verdict = check(read(path.read_bytes()), load("coral"), "vww_96_float.tflite")

    assert [diagnostic.code for diagnostic in verdict.diagnostics] == ["EC505"]
    assert verdict.operators_on_cpu == len(verdict.placements)
