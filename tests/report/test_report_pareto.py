"""The picture of a search's front: stairs of what no point beats, the others beside them, broken recipes out of it."""

from __future__ import annotations

from typing import Any

import pytest

from edgecompile.libs import figures
from edgecompile.report import pareto

pytestmark = pytest.mark.skipif(not figures.is_installed(), reason="matplotlib is not installed")


def _point(trial: int, score: float, flash: int, weights: int, lower: bool = False) -> dict[str, Any]:
    test = {
        "values": {"accuracy": score, "flash": flash, "weights": weights},
        "units": {"accuracy": "loss" if lower else "top1", "flash": "bytes", "weights": "bytes"},
        "loss": score if lower else -score,
        "drop": None,
    }
    return {"trial": trial, "test": test, "search": test, "title": "int8", "on_front": True}


def _drawn(points: list[dict[str, Any]], tried: list[tuple[int, float]]) -> Any:
    front = {
        "objectives": ["accuracy", "flash", "weights"],
        "limits": {"flash_bytes": None, "ram_bytes": None, "max_drop": None},
        "points": points,
        "tried": tried,
        "best": points[0]["trial"],
    }
    from matplotlib.figure import Figure

    figure = Figure()
    pareto._draw(figure, front, (640.0, 420.0), plain=True)
    return figure.axes[0]


def _line(axes: Any, label: str) -> list[tuple[float, float]]:
    (line,) = [line for line in axes.get_lines() if str(line.get_label()).startswith(label)]
    return [(float(x), round(float(y), 3)) for x, y in zip(*line.get_data(), strict=True)]


def test_stairs_go_up_and_what_is_ahead_in_another_objective_stands_beside() -> None:
    points = [_point(0, 0.9, 4096, 900), _point(1, 0.8, 1024, 800), _point(2, 0.7, 2048, 100)]

    axes = _drawn(points, [])

    assert _line(axes, "front (test") == [(1.0, 80.0), (4.0, 90.0)]
    assert _line(axes, "front by weights") == [(2.0, 70.0)]


def test_stairs_go_down_where_less_is_better() -> None:
    axes = _drawn([_point(0, 0.5, 1024, 1, lower=True), _point(1, 0.2, 2048, 2, lower=True)], [])

    assert _line(axes, "front (test") == [(1.0, 0.5), (2.0, 0.2)]


def test_recipes_that_broke_the_model_do_not_squeeze_the_others() -> None:
    axes = _drawn([_point(0, 0.94, 4096, 900), _point(1, 0.93, 1024, 800)], [(1000, 0.15), (2000, 0.3), (3000, 0.9)])

    assert axes.get_ylim()[0] == 74.0
    assert [text.get_text() for text in axes.texts] == ["2 more below"]
