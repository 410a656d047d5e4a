"""Operators of two builds that differ in nothing but what their weights are and how they are stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from report_example import bare

from edgecompile.core.report import Report
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.same_values import digest_of
from edgecompile.report import diff_html, diff_text
from edgecompile.report.diff import Side, compare, side_of_report

ROW = {
    "index": 0, "subgraph": 0, "operator": "CONV_2D", "layer": "c", "where": "mcu", "reason": None, "type": "int8[1]",
    "macs": 8, "weights_bytes": 64, "weights_sha256": "a" * 12, "output_bytes": 1,
}  # fmt: skip
FORMS = [{"#": 0, "operator": "CONV_2D", "layer": "c", "form": "shared4", "bytes": 4000, "dense_bytes": 8000}]


def side(**details: Any) -> Side:
    report: Report = replace(bare(), details={"operators": [ROW], **details})
    return side_of_report("build", report)


def test_other_values_and_other_forms_are_told() -> None:
    other = {**ROW, "weights_sha256": "b" * 12}

    found = compare(side(), side(operators=[other], **{"weights of the C library": FORMS}))

    assert found.operators[0].differs == ("weights_sha256", "form") and not found.is_empty
    text, page = diff_text.text(found), diff_html.render(found).replace("\N{NO-BREAK SPACE}", " ")
    assert "values            other ones" in text and "stored as         dense -> shared4, 4 000 B" in text
    assert "dense → shared4, 4 000 B" in page and "other ones" in page


def test_a_report_that_does_not_tell_of_values_differs_in_none() -> None:
    old = {key: value for key, value in ROW.items() if key != "weights_sha256"}

    assert compare(side(), side(operators=[old])).is_empty


def test_operators_with_equal_constants_have_equal_digests() -> None:
    one, same, other = (network(seed) for seed in (0, 0, 1))

    digests = [digest_of(each.main, each.main.operators[0]) for each in (one, same, other)]

    assert digests[0] == digests[1] != digests[2]
    assert digest_of(one.main, one.main.operators[1]) is None


def network(seed: int) -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.1)
    w = build.constant("w", np.random.default_rng(seed).integers(-9, 9, (2, 4)).astype(np.int8), scale=0.1)
    y, z = (build.tensor(name, (1, 2), "int8", scale=0.1) for name in "yz")
    build.op("FULLY_CONNECTED", [x, w], [y])
    build.op("RELU", [y], [z])
    return build.output(z).build()
