"""The answer of a search: who is best, what would have to give, and the files that say so."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from search_cases import Pool, answer, asked, measure, opened, search

from edgecompile.config.profiles import load
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.core.project import Budget, DataSpec, Project
from edgecompile.core.units import format_size
from edgecompile.frontend.source import ModelSource
from edgecompile.report import html, pareto
from edgecompile.report.json import dump_object, failure
from edgecompile.report.schema import part
from edgecompile.search import answer as answering
from edgecompile.search import budget, folder
from edgecompile.search.proposals import Asked
from edgecompile.search.trial import Order, Place


def judged(place: Path, question: Asked, worse: float = 0.0) -> tuple[list[answering.Point], dict[str, Any]]:
    """A search's points, on a test part where every score is lower by ``worse``, and its front as plain data."""
    study = opened(place, question)
    trials = search(study, question, Pool())

    def again(order: Order) -> dict[str, Any]:
        found = answer(order)
        rows = [{**one, "value": one["value"] - worse} if one["name"] == "metric" else one for one in found["measures"]]
        made = order.project.output / question.target.id
        made.mkdir(parents=True)
        (made / "report.json").write_text(json.dumps({**failure("verified", ()).to_dict(), "measures": rows}))
        return {**found, "measures": rows}

    project = Project(
        model="m.keras", base=place, targets=(question.target.id,), output=place / "out", data=DataSpec(source="d.npz")
    )
    found = answering.candidates(trials, question)
    points = answering.judge(found, study, question, project, Place(cache=None), Pool(again), lambda done, whole: None)
    best = answering.best(points, question)
    return points, answering.to_plain(points, trials, question, best)


def test_with_bytes_granted_the_best_score_within_them_wins(tmp_path: Path) -> None:
    points, front = judged(tmp_path, asked(most=20, flash_bytes=40_000))

    able = [one for one in points if one.tested.values["flash"] <= 40_000]
    best = next(one for one in points if one.trial.number == front["best"])
    assert best.tested.values["accuracy"] == max(one.tested.values["accuracy"] for one in able)


def test_with_only_a_drop_granted_the_smallest_wins(tmp_path: Path) -> None:
    points, front = judged(tmp_path, asked(most=20, max_drop=0.01))

    able = [one for one in points if (one.tested.drop or 0) <= 0.01]
    best = next(one for one in points if one.trial.number == front["best"])
    assert best.tested.values["flash"] == min(one.tested.values["flash"] for one in able)


def test_what_another_dominates_on_the_test_part_is_not_handed_out(tmp_path: Path) -> None:
    question = asked(most=20)
    points, _ = judged(tmp_path, question)
    first = points[0]
    even = replace(first.tested, values={**first.tested.values, "flash": 1}, loss=first.tested.loss)

    luckier = [replace(one, tested=even) if one is points[-1] else one for one in points]

    assert answering.best(points, question) == first
    assert answering.best(luckier, question) == luckier[-1]


def test_what_holds_is_the_score_on_the_test_part(tmp_path: Path) -> None:
    points, front = judged(tmp_path, asked(most=12, max_drop=0.01), worse=0.5)

    assert front["best"] is None
    assert all(round(one.searched.values["accuracy"] - one.tested.values["accuracy"], 9) == 0.5 for one in points)


def test_what_cannot_be_met_is_told_with_what_would_have_to_give(tmp_path: Path) -> None:
    question = asked(most=12, flash_bytes=2000, max_drop=0.05)
    points, front = judged(tmp_path, question)

    said = budget.unmet(points, question)

    assert isinstance(said, RejectedError)
    assert said.diagnostics[0].code == "EC855"
    least = min(one.tested.values["flash"] for one in points if (one.tested.drop or 0) <= 0.05)
    assert [(one["limit"], one["value"]) for one in front["needed"]] == [("flash", least), ("drop", None)]
    notes, help = said.diagnostics[0].notes, said.diagnostics[0].help
    assert any(line.startswith("nearest: ") for line in notes)
    assert notes[0].startswith("flash: limit 2 000 B, least found ")
    assert re.fullmatch(
        r"the accuracy drop: limit 5.00 points, least found .* points \(trial \d+\); \d+ of \d+ within", notes[1]
    )
    assert help[0].startswith("with the other budgets as they are, flash: grant ")


def test_two_budgets_that_both_are_in_the_way_are_told_with_limit_and_nearest(tmp_path: Path) -> None:
    question = asked(most=12, flash_bytes=2000, max_drop=-0.5)
    points, front = judged(tmp_path, question)

    (said,) = budget.unmet(points, question).diagnostics

    assert [one["value"] for one in front["needed"]] == [None, None]
    flash, drop = (min(one.tested.of(limit) or 0 for one in points) for limit in ("flash", "drop"))
    assert said.notes[0].startswith(f"flash: limit 2 000 B, least found {format_size(int(flash))} (trial ")
    assert said.notes[1].startswith(
        f"the accuracy drop: limit -50.00 points, least found {100 * drop:.2f} points (trial "
    )
    assert re.fullmatch(
        r"no single budget is in the way: trial \d+ needs .* of flash and .* of the accuracy drop", said.help[0]
    )


def test_points_that_were_judged_are_not_built_again(tmp_path: Path) -> None:
    question = asked(most=8)
    first, _ = judged(tmp_path, question)
    study = opened(tmp_path, question)
    project = Project(model="m", base=tmp_path, targets=("cortex-m4",), output=tmp_path / "out")
    pool = Pool()

    again = answering.judge(
        [one.trial for one in first], study, question, project, Place(cache=None), pool, lambda done, whole: None
    )

    assert pool.orders == []
    assert [one.tested for one in again] == [one.tested for one in first]


def test_a_front_that_cannot_be_judged_says_why(tmp_path: Path) -> None:
    question = asked(most=3)
    study = opened(tmp_path, question)
    trials = search(study, question, Pool())
    said = Diagnostic(code="EC717", message="there are no labels").to_dict()
    pool = Pool(lambda order: {"status": "failed", "exit_code": 2, "measures": [], "diagnostics": [said]})

    with pytest.raises(BadInputError, match="EC717"):
        answering.judge(trials, study, question, project(), Place(cache=None), pool, lambda done, whole: None)


def test_the_front_is_written_whole_and_drawn(tmp_path: Path) -> None:
    points, front = judged(tmp_path, asked(most=12, max_drop=0.05))
    best = answering.best(points, asked(max_drop=0.05))

    written = folder.write_front(tmp_path, front, best)

    assert [path.name for path in written.paths] == ["front.json", "pareto.png", "best.toml"]
    assert json.loads((tmp_path / "front.json").read_text())["best"] == front["best"]
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob("*.part"))


def test_the_table_marks_the_best_and_tells_both_scores(tmp_path: Path) -> None:
    _, front = judged(tmp_path, asked(most=12, max_drop=0.05), worse=0.01)

    lines = pareto.text(front).splitlines()

    assert lines[0].split() == ["trial", "top1", "(search)", "Flash", "Drop", "recipe"]
    assert [line.split()[1] for line in lines if line.startswith("best")] == [str(front["best"])]


def test_a_reports_page_has_the_front_where_there_is_one(tmp_path: Path) -> None:
    _, front = judged(tmp_path, asked(most=12, max_drop=0.05))
    bare = failure("verified", (), "cortex-m4")

    page = html.render(replace(bare, details={"search": json.loads(dump_object(front))}))

    assert "The front of the search" in page and 'id="pareto"' in page
    assert "The front of the search" not in html.render(bare)


def test_what_is_printed_is_as_its_schema_says(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    _, found = judged(tmp_path / "a", asked(most=6, max_drop=0.05))
    _, unmet = judged(tmp_path / "b", asked(most=6, flash_bytes=10))

    for front in (found, unmet):
        plain = json.loads(dump_object({"status": "verified", "diagnostics": [], **front, "files": ["a"]}))
        jsonschema.Draft202012Validator(part("tune")).validate(plain)


SOURCE = ModelSource(name="m.keras", kind="keras", path=None, entry=None, sha256="0", size_bytes=1)


def project(**more: Any) -> Project:
    given = {"model": "m.keras", "base": Path(), "targets": (), "output": Path(), "data": DataSpec(source="d.npz")}
    return Project(**{**given, **more})


def test_budgets_below_what_a_target_needs_by_itself_are_refused() -> None:
    runtime = load("ethos-u55-128").runtime

    with pytest.raises(BadInputError, match="EC856"):
        budget.limits_of(project(budget=Budget(flash_bytes=0)), load("cortex-m4"), SOURCE)
    if runtime is not None and runtime.flash_bytes:
        with pytest.raises(BadInputError, match="EC856"):
            budget.limits_of(project(budget=Budget(flash_bytes=1024)), load("ethos-u55-128"), SOURCE)


def test_a_search_needs_data_and_a_model_that_is_not_converted() -> None:
    with pytest.raises(BadInputError, match="EC852"):
        budget.limits_of(project(data=DataSpec()), load("cortex-m4"), SOURCE)
    with pytest.raises(BadInputError, match="EC861"):
        budget.limits_of(project(), load("cortex-m4"), replace(SOURCE, kind="tflite"))


def test_nothing_built_is_told_with_the_reasons(tmp_path: Path) -> None:
    question = asked(most=2)
    failing = {"status": "rejected", "exit_code": 1, "measures": [measure("flash_bytes", 1, "bytes")], "details": {}}
    trials = search(
        opened(tmp_path, question), question, Pool(lambda order: {**failing, "diagnostics": [], "lost": "no room"})
    )

    assert answering.candidates(trials, question) == []
    assert budget.nothing_built(trials).diagnostics[0].code == "EC865"
    assert "no room" in budget.nothing_built(trials).diagnostics[0].notes
