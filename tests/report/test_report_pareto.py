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


def _energy_under(flash_bytes: int | None, max_drop: float | None) -> dict[str, Any]:
    point = _point(3, 0.94, 40_000, 900)
    point["test"]["values"] |= {"ram": 9_000, "energy": 0.25}
    point["test"]["units"] |= {"ram": "bytes", "energy": "mJ"}
    point["test"]["drop"] = -0.0025
    return {
        "objectives": ["accuracy", "energy"],
        "limits": {"flash_bytes": flash_bytes, "ram_bytes": 20_480, "max_drop": max_drop},
        "trials": {"built": 1, "failed": 0, "discarded": 0},
        "points": [point],
        "tried": [],
        "best": 3,
    }


@pytest.mark.parametrize(
    ("flash_bytes", "max_drop", "lines"),
    [
        pytest.param(
            65_536,
            0.01,
            [
                "      trial  top1     (search)   Energy   Flash     RAM      Drop     recipe",
                "best  3      94.00 %  (94.00 %)  0.25 mJ  39.1 KiB  9 000 B  -0.25 %  int8",
                "Budgets: Flash 64.0 KiB, RAM 20.0 KiB, drop from the float model 1.00 %.",
            ],
            id="all",
        ),
        pytest.param(
            None,
            None,
            [
                "      trial  top1     (search)   Energy   RAM      recipe",
                "best  3      94.00 %  (94.00 %)  0.25 mJ  9 000 B  int8",
                "Budgets: RAM 20.0 KiB.",
            ],
            id="ram",
        ),
    ],
)
def test_what_there_is_a_budget_of_has_a_column_whatever_the_objective(
    flash_bytes: int | None, max_drop: float | None, lines: list[str]
) -> None:
    front = _energy_under(flash_bytes, max_drop)

    page = str(pareto.section({"search": front})).replace("\N{NO-BREAK SPACE}", " ")

    assert pareto.text(front).splitlines() == lines
    for word in (*lines[0].split(), *lines[1].split()[-2:], lines[2]):
        assert word in page


def test_a_drop_that_is_none_has_no_sign() -> None:
    assert pareto.value("drop", {"drop": -1e-17, "units": {"accuracy": "top1"}}) == "0.00 %"


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


def test_a_long_recipe_stands_below_its_line() -> None:
    front = _energy_under(65_536, 0.01)
    recipe = "prune block2x2 0.55 (8 epochs) -> cluster 16 (4 epochs) -> quantize int8 (12 epochs), a step more"
    front["points"][0]["title"] = recipe

    lines = pareto.text(front).splitlines()

    assert lines[0] == "      trial  top1     (search)   Energy   Flash     RAM      Drop  recipe"
    assert " ".join(line.strip() for line in lines[2:4]) == recipe
    assert all(len(line) <= 80 for line in lines)
