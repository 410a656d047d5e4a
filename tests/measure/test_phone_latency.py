"""Latency on reference phones: what published rows predict, with which error, and that nothing is called measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.config.profiles import load
from edgecompile.core.errors import BadInputError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.measure.models.phone import fit, leave_one_out, predict, work_of

TABLES = [
    (profile, name)
    for profile in ("android-cpu", "android-gpu", "android-nnapi")
    for name, table in load(profile).measure.items()
    if isinstance(table, dict)
]


def conv(channels: int, dtype: str = "float32", size: int = 56) -> Network:
    build = NetworkBuilder()
    scale = 0.1 if dtype == "int8" else None
    x = build.input("x", (1, size, size, channels), dtype, scale)
    weights = build.constant("w", np.ones((channels, 3, 3, channels), dtype), scale=scale)
    kind = "int32" if dtype == "int8" else "float32"
    bias = build.constant("b", np.zeros(channels, kind), scale=0.01 if dtype == "int8" else None)
    y = build.tensor("y", (1, size, size, channels), dtype, scale)
    return build.output(build.op("CONV_2D", [x, weights, bias], [y], padding="SAME")).build()


def test_factors_that_made_the_rows_are_found_again() -> None:
    rows = [[m, v, 0.5 + 0.02 * m + 1.5 * v] for m, v in ((10, 1), (50, 2), (100, 1), (300, 5), (500, 4))]

    assert fit(rows) == pytest.approx([0.5, 0.02, 1.5])
    assert leave_one_out(rows) == pytest.approx(0.0, abs=1e-9)


def test_no_factor_is_below_zero() -> None:
    rows = [[m, v, max(5.0 - 0.001 * m, 1) + v] for m, v in ((10, 1), (50, 2), (100, 1), (300, 5), (500, 4))]

    assert (fit(rows) >= 0).all()


@pytest.mark.parametrize(("profile", "name"), TABLES)
def test_the_shipped_rows_predict_each_other(profile: str, name: str) -> None:
    table = load(profile).measure[name]

    # Found when they were put in: 4 to 6 %, the GPU's 11 %.
    assert leave_one_out(table["rows"]) < (0.13 if "GPU" in table["processor"] else 0.07)
    assert "hosted_models.md" in table["source"] or "mobilenet/README.md" in table["source"]


def test_work_is_counted_in_millions_with_the_type_that_does_it() -> None:
    assert work_of(conv(16)) == (
        pytest.approx(56 * 56 * 9 * 16 * 16 / 1e6),
        pytest.approx(56 * 56 * 16 / 1e6),
        "float32",
    )
    assert work_of(conv(16, "int8"))[2] == "int8"


def test_a_prediction_says_what_it_is_and_how_wrong_it_may_be() -> None:
    target = load("android-cpu")

    (prediction,) = predict([(conv(64), [0])], target.measure)

    assert [m.name for m in prediction.measures] == [
        "predicted_ms_pixel_3_cpu_float32",
        "predicted_ms_pixel_1_core_float32",
    ]
    first = prediction.measures[0]
    assert first.value is not None
    assert first.value > 1
    assert first.method == (
        "predicted, not measured: from 17 published rows of Pixel 3 (Snapdragon 845), Android 10, CPU, 4 threads, "
        "TFLite benchmark_model; leave-one-out error 4 %"
    )


@pytest.mark.parametrize(
    ("network", "running", "said"),
    [
        (conv(2), [0], "beyond the rows"),
        (conv(64), [], "as if every operator ran there, which is not so"),
    ],
    ids=["too small", "in parts"],
)
def test_a_prediction_outside_of_what_was_measured_says_so(network: Network, running: list[int], said: str) -> None:
    (prediction,) = predict([(network, running)], load("android-gpu").measure)

    assert said in prediction.measures[0].method


def test_a_type_that_was_not_measured_is_not_predicted() -> None:
    (prediction,) = predict([(conv(64, "int8"), [0])], load("android-gpu").measure)

    assert prediction.measures == ()


@pytest.mark.parametrize(
    "change",
    [{"rows": [[1, 2, 3]]}, {"rows": [[1, 2]] * 5}, {"rows": [[1, 2, 0]] * 5}, {"phone": ""}],
    ids=["few", "short", "no time", "no name"],
)
def test_a_table_that_is_not_complete_is_refused(change: dict[str, Any]) -> None:
    table = {**load("android-gpu").measure["pixel_3_gpu_float32"], **change}

    with pytest.raises(BadInputError) as caught:
        predict([], {"mine": table})

    assert caught.value.diagnostics[0].code == "EC762"
