"""The report as programs read it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from edgecompile.core.artifact import Artifact
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.report import Measure, Report, Stage
from edgecompile.report.json import dump_object, dumps, failure

KEYS = [
    "schema",
    "status",
    "target",
    "recipe",
    "model_sha256",
    "versions",
    "stages",
    "measures",
    "diagnostics",
    "artifacts",
    "details",
]


def report(target: str = "coral") -> Report:
    return Report(
        status="built",
        target=target,
        recipe={"name": "none"},
        model_sha256="00",
        versions={"edgecompile": "0.1.0"},
        stages=(Stage(name="load", summary="done", duration_s=0.5),),
        measures=(Measure(name="macs", value=12, unit="count", method="counted", limit=None),),
        diagnostics=(Diagnostic(code="EC100", message="so it is"),),
        artifacts=(Artifact(path="m.tflite", kind="tflite", size_bytes=3, sha256="ff"),),
    )


def test_one_report_is_one_object_with_the_documented_keys_in_order() -> None:
    plain = json.loads(dumps(report()))

    assert list(plain) == KEYS
    assert plain["schema"] == 1
    assert list(plain["measures"][0]) == ["name", "value", "unit", "method", "limit"]
    assert plain["artifacts"] == [{"path": "m.tflite", "kind": "tflite", "size_bytes": 3, "sha256": "ff"}]


def test_several_reports_are_one_object_in_the_order_asked_for() -> None:
    plain = json.loads(dumps([report("b"), report("a")]))

    assert list(plain) == ["schema", "reports"]
    assert [each["target"] for each in plain["reports"]] == ["b", "a"]


def test_a_sequence_of_one_is_the_report_itself() -> None:
    assert dumps([report()]) == dumps(report())


def test_a_failure_before_any_report_has_the_shape_of_a_report() -> None:
    plain = json.loads(dumps(failure("failed", [Diagnostic(code="EC100", message="so it is")])))

    assert list(plain) == KEYS
    assert plain["status"] == "failed"
    assert plain["diagnostics"][0]["code"] == "EC100"
    assert plain["measures"] == plain["artifacts"] == []


@pytest.mark.parametrize(
    "value, text",
    [
        pytest.param(float("nan"), "null", id="nan"),
        pytest.param(np.float32(0.5), "0.5", id="numpy-float"),
        pytest.param(np.int64(7), "7", id="numpy-int"),
        pytest.param(np.float32("inf"), "null", id="numpy-infinity"),
        pytest.param("\udc80ä", r'"\udc80\u00e4"', id="a-file-name-that-is-not-utf-8"),
        pytest.param((), "[]", id="tuple"),
    ],
)
def test_values_become_json_that_any_reader_takes(value: Any, text: str) -> None:
    assert dump_object(value) == text
