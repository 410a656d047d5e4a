"""The report as people read it, whole: the form is the product."""

from __future__ import annotations

from typing import Any

import pytest

from edgecompile.core.artifact import Artifact
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.report import Measure, Report
from edgecompile.report import diff_text
from edgecompile.report.diff import Side, compare, side_of_report
from edgecompile.report.table import bar, number, rows
from edgecompile.report.text import brief, render

HASH = "0123456789abcdef" * 4
COUNTED = "counted: in the flatbuffer"
PLANNED = "planned: greedy by size, then searched"


def test_what_was_told_is_folded_to_80_columns() -> None:
    told = Diagnostic(
        code="EC100", message="word " * 30 + "end", notes=("note " * 30 + "end",), help=("a" * 100 + " and more",)
    )

    lines = render(report(diagnostics=(told,))).splitlines()

    assert [len(line) for line in lines if len(line) > 80] == [len("           " + "a" * 100)]
    assert "           note note note" in "\n".join(lines)
    assert " ".join(" ".join(lines).split()).count("word") == 30


def report(**changes: Any) -> Report:
    plain: dict[str, Any] = {
        "status": "verified",
        "target": "cortex-m4",
        "recipe": {"name": "none", "numerics": "int8", "calibration": "minmax"},
        "model_sha256": HASH,
        "versions": {"edgecompile": "0.1.0", "tensorflow": "2.20.0"},
    }
    return Report(**{**plain, **changes})


def test_a_whole_report_reads_from_the_verdict_to_the_origin_of_its_figures() -> None:
    whole = report(
        measures=(
            Measure(name="flash_bytes", value=47718, unit="bytes", method=COUNTED, limit=262144),
            Measure(name="ram_bytes", value=31334, unit="bytes", method=PLANNED, limit=65536),
            Measure(name="macs", value=2713216, unit="count", method=COUNTED),
            Measure(name="metric", value=0.918, unit="top1", method="measured: tflite-micro, 200 samples", limit=0.914),
            Measure(name="metric_float", value=0.924, unit="top1", method="measured: Keras, 200 samples"),
        ),
        details={"agreement": {"max_steps": 1, "mean_steps": 0.0125}},
        artifacts=(Artifact(path="kws.tflite", kind="tflite", size_bytes=32154, sha256=HASH),),
    )

    text = render(whole)

    assert (
        text
        == """\
cortex-m4: built and verified
  model sha256 0123456789ab, recipe none, int8, minmax
  edgecompile 0.1.0, tensorflow 2.20.0

Flash  [=         ]  18.2 %     46.6 of 256 KiB
RAM    [====      ]  47.8 %     30.6 of 64 KiB

Top-1  91.8 %   float 92.4 %   -0.6 points (limit 91.4 %)

multiply-accumulates  2 713 216

Agreement
  max steps   1
  mean steps  0.0125

Files
  kws.tflite    31.4 KiB  tflite

How the figures were obtained
  flash, multiply-accumulates: counted: in the flatbuffer
  RAM: planned: greedy by size, then searched
  score: measured: tflite-micro, 200 samples
  score of the float model: measured: Keras, 200 samples
"""
    )


def test_a_rejected_report_counts_its_errors_and_shows_the_excess() -> None:
    text = render(
        report(
            status="rejected",
            measures=(Measure(name="flash_bytes", value=300000, unit="bytes", method=COUNTED, limit=262144),),
            diagnostics=(Diagnostic(code="EC601", message="flash is over", location=Location(file="kws.tflite")),),
        )
    )

    assert text.startswith("cortex-m4: rejected (1 error)\n")
    assert "Flash  [==========] 114.4 %    293.0 of 256 KiB  over the limit" in text
    assert "error[EC601]: flash is over\n  --> kws.tflite\n" in text


def test_a_figure_that_could_not_be_had_says_why() -> None:
    text = render(report(measures=(Measure(name="metric", value=None, unit="top1", method="skipped: no labels"),)))

    assert "score: skipped: no labels" in text
    assert "Top-1" not in text


def test_details_within_details_are_indented_and_nothing_is_wider_than_80_columns() -> None:
    whole = report(
        details={
            "agreement": [{"output": "digit", "max_steps": 2}],
            "data": {
                "inputs": [{"name": "", "dtype": "int8"}, {"name": "y", "dtype": "int8"}],
                "splits": {"train": {"samples": 9, "from": "here"}, "test": {"samples": 90, "from": "there"}},
                "preprocess": {"scale": 0.5},
                "labels": ["zero"] * 30,
            },
        }
    )

    text = render(whole)

    assert max(map(len, text.splitlines())) <= 80
    assert "\nAgreement\n  output     digit\n  max steps  2\n" in text
    assert "\n  inputs\n    name  dtype\n          int8\n    y     int8\n" in text
    assert "\n  splits\n           samples  from\n    train        9  here\n    test        90  there\n" in text
    assert "\n  preprocess\n    scale  0.5\n" in text


def test_an_empty_report_is_its_verdict() -> None:
    failed = Report(status="failed", target="", recipe={}, model_sha256="", versions={"edgecompile": "0.1.0"})

    assert render(failed) == "failed\n  edgecompile 0.1.0\n"


@pytest.mark.parametrize(
    "unit, value, reference, line",
    [
        pytest.param("mse", 0.0312, 0.03, "mse    0.0312   float 0.03   +0.0012", id="an-error-in-its-unit"),
        pytest.param("auc", 0.9, 0.9, "AUC    90.0 %   float 90.0 %   +0.0 points", id="a-share-in-percent"),
        pytest.param("score.py:f1", 3.0, 2.0, "score.py:f1 3   float 2   +1", id="a-function-of-the-user"),
    ],
)
def test_scores_compare_with_the_float_model(unit: str, value: float, reference: float, line: str) -> None:
    measures = (
        Measure(name="metric", value=value, unit=unit, method="measured"),
        Measure(name="metric_float", value=reference, unit=unit, method="measured"),
    )

    assert line in render(report(measures=measures))


def test_records_are_drawn_as_a_table() -> None:
    placement = [
        {"operator": "CONV_2D", "count": 12, "runs_on": "tpu"},
        {"operator": "ADD", "count": 3, "runs_on": "cpu"},
    ]

    assert rows(placement) == [
        "operator  count  runs on",
        "CONV_2D      12  tpu",
        "ADD           3  cpu",
    ]


@pytest.mark.parametrize(
    "details",
    [
        pytest.param({"partitions": []}, id="no-rows"),
        pytest.param({"agreement": {}}, id="no-pairs"),
        pytest.param({"verification": None}, id="nothing"),
    ],
)
def test_an_empty_detail_is_left_out(details: dict[str, Any]) -> None:
    assert render(report(details=details)) == render(report())


@pytest.mark.parametrize(
    "ratio, drawn",
    [
        pytest.param(0.0, "[          ]", id="nothing"),
        pytest.param(0.001, "[=         ]", id="a-trace-shows"),
        pytest.param(0.5, "[=====     ]", id="half"),
        pytest.param(0.999, "[========= ]", id="nearly-full-is-not-full"),
        pytest.param(1.0, "[==========]", id="full"),
        pytest.param(7.0, "[==========]", id="over"),
    ],
)
def test_a_bar_neither_hides_a_trace_nor_fills_early(ratio: float, drawn: str) -> None:
    assert bar(ratio) == drawn


@pytest.mark.parametrize(
    "value, text",
    [
        pytest.param(None, "-", id="none"),
        pytest.param(True, "yes", id="true"),
        pytest.param(1234567, "1 234 567", id="count"),
        pytest.param(0.123456, "0.1235", id="fraction"),
        pytest.param(float("nan"), "nan", id="nan"),
        pytest.param([1, 2], "1, 2", id="list"),
        pytest.param({"a": 1}, "a 1", id="mapping"),
    ],
)
def test_numbers_are_written_for_people(value: Any, text: str) -> None:
    assert number(value) == text


def test_a_check_that_wrote_nothing_does_not_claim_a_build() -> None:
    artifact = Artifact(path="kws.tflite", kind="tflite", size_bytes=1, sha256=HASH)

    assert render(report(status="built")).startswith("cortex-m4: would run and fit\n")
    assert render(report(status="built", artifacts=(artifact,))).startswith("cortex-m4: built\n")


def test_a_model_of_which_nothing_maps_says_so_in_its_verdict() -> None:
    artifact = Artifact(path="kws.tflite", kind="tflite", size_bytes=1, sha256=HASH)
    details = {"mapping": "nothing maps to edgetpu: all of it runs on the CPU"}

    checked = render(report(status="built", details=details))
    built = render(report(status="built", details=details, artifacts=(artifact,)))
    rejected = render(report(status="rejected", details=details))

    assert checked.startswith("cortex-m4: would run on the CPU only: nothing maps\n")
    assert built.startswith("cortex-m4: built, runs on the CPU only: nothing maps\n")
    assert rejected.startswith("cortex-m4: rejected\n")


def test_what_verified_it_stands_below_the_verdict() -> None:
    verified = render(report(details={"verification": "verified: tflite-micro, 200 samples"}))
    skipped = render(report(status="built", details={"verification": "skipped: no interpreter"}))

    assert verified.splitlines()[1] == "  verified: tflite-micro, 200 samples"
    assert verified.count("tflite-micro") == 1
    assert skipped.splitlines()[1] == "  verification skipped: no interpreter"


def test_a_brief_report_has_the_figures_with_a_word_on_their_origin_and_no_details() -> None:
    arena = Measure(name="arena_bytes", value=3072, unit="bytes", method="planned: greedy by size")
    whole = report(details={"memory plan": ["   0  CONV_2D |AAAA|"], "agreement": {"steps": 1}}, measures=(arena,))

    assert "Memory plan\n   0  CONV_2D |AAAA|\n" in render(whole)
    assert "CONV_2D" not in brief(whole)
    assert "Agreement" not in brief(whole)
    assert "arena  3 072 B  planned\n" in brief(whole)


@pytest.mark.parametrize("words", range(8, 14))
def test_a_line_of_words_is_no_wider_than_80_columns_with_its_indent(words: int) -> None:
    text = render(report(details={"verification of the C library": " ".join(["seventy"] * words)}))

    assert max(map(len, text.splitlines())) <= 80
    assert text.count("seventy") == words


def test_a_layer_in_a_table_is_called_by_the_end_of_its_name() -> None:
    rows = [{"layer": f"net/{name}/Relu;net/conv/Conv2D", "channels": 3} for name in ("left", "right")]

    told = render(report(details={"idle channels": rows}))

    assert "left          3\n" in told and "net/" not in told


def test_names_that_differ_anywhere_stay_apart_in_a_difference() -> None:
    names = [f"{first}/a_block_with_many_layers_in_it/a_convolution_of_it/{last}" for first in "ab" for last in "cd"]
    measured = [{"layer": name, "operator": "CONV_2D", "output error": "1 %", "drop": "0.1"} for name in names]
    rows = [{"index": 0, "operator": "CONV_2D", "layer": name * 2, "macs": 1} for name in names]
    a = Side(name="a", operators=tuple(rows), sensitivity=tuple(measured))
    b = Side(name="b", sensitivity=tuple(measured))

    lines = diff_text.text(compare(a, b)).splitlines()

    assert len({line for line in lines if "CONV_2D" in line}) == 2 * len(names)
    assert all(len(line) <= 80 for line in lines)
    assert all(f"CONV_2D {name}" in lines for name in names)


def test_a_column_without_room_stands_above_or_below_its_row() -> None:
    step = "prune pattern block2x2 sparsity 0.5 epochs 2"
    steps = [{"step": name, **{key: "1 322 B" for key in ("zeros", "values", "MACs", "gzip")}} for name in ("a", step)]
    inputs = [{"input": "data", "name": "kws.npz", "sha256": HASH, "note": None}]
    inputs.append({**inputs[0], "input": "model"})

    told = render(report(details={"compression": steps, "inputs": inputs}))

    assert f"  {step}\n    1 322 B  1 322 B" in told
    assert f"  data   kws.npz\n      {HASH}\n" in told
    assert "note" not in told and "\n  -\n" not in told


def test_only_a_version_is_called_one_in_a_difference() -> None:
    sides = [report(versions={"keras": version, "trained on": place}) for version, place in [("3", "a"), ("2", "b")]]

    found = compare(*(side_of_report(name, side) for name, side in zip("ab", sides, strict=True)))

    assert [name for name, _, _ in found.facts] == ["keras version", "trained on"]


def test_a_number_stays_beside_its_unit_where_a_report_is_folded() -> None:
    method = "predicted: the model file, counted, plus something of 52.8 KiB ( 54 108 B) and more of the same"
    measure = Measure(name="flash_bytes", value=1, unit="bytes", method=method)

    assert " 54 108 B)" in render(report(measures=(measure,)))
