"""What a report says of weights that the C library stores in another form than one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pipeline_networks import project, targets_of

from edgecompile.core.progress import Silent
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.pipeline import check

VALUES = 16


def shared(name: str = "y") -> Network:
    """A pointwise convolution whose weights have few values."""
    draw, build = np.random.default_rng(0), NetworkBuilder()
    x = build.input("x", (1, 8, 8, 64), "int8", scale=0.05, zero_point=3)
    codes = draw.choice(draw.choice(np.arange(-127, 128), VALUES, replace=False), (64, 1, 1, 64)).astype(np.int8)
    w = build.constant("w", codes, scale=[0.01] * 64, axis=0)
    y = build.tensor(name, (1, 8, 8, 64), "int8", scale=0.4, zero_point=0)
    build.op("CONV_2D", [x, w], [y])
    return build.output(y).build()


@pytest.mark.parametrize(("goal", "form", "size"), [("balanced", "shared4", 2064), ("speed", "dense", 4096)])
def test_the_report_tells_form_and_bytes_of_each_layer(tmp_path: Path, goal: str, form: str, size: int) -> None:
    wanted = project(tmp_path, shared(), targets=("cortex-m4",), optimize=goal)

    (report,) = check(wanted, targets_of(wanted), Silent())

    counted = report.measure("weights_bytes")
    assert counted is not None and counted.value == size
    told = report.details.get("weights of the C library")
    row = {"#": 0, "operator": "CONV_2D", "layer": "y", "form": form, "bytes": size, "dense_bytes": 4096}
    assert told == (None if form == "dense" else [row])
    assert ("2 064 shared4" in counted.method) == (form == "shared4")


def test_a_layer_is_called_as_in_the_other_tables(tmp_path: Path) -> None:
    fused = "net/act/Relu;net/norm/FusedBatchNormV3;net/conv/Conv2D"
    wanted = project(tmp_path, shared(fused), targets=("cortex-m4",))

    (report,) = check(wanted, targets_of(wanted), Silent())

    rows = ("operators", "weights of the C library", "flash of the C library")
    assert [[row["layer"] for row in report.details[table]] for table in rows] == [["act"], ["act"], ["act"]]
