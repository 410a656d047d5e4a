"""The pieces of a search: fronts, recipes from genomes, figures from reports, and what its files hold."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from search_cases import Pool as Formula
from search_cases import asked, measure, opened, search

from edgecompile.compress import recipe_check
from edgecompile.compress.contract import passes
from edgecompile.config.profiles import load
from edgecompile.config.recipes import check_steps, read_recipe
from edgecompile.core.errors import BadInputError
from edgecompile.core.recipe import Recipe, Step
from edgecompile.core.units import parse_duration
from edgecompile.kernels.weight_forms import stored_bytes
from edgecompile.libs import optuna
from edgecompile.search import costs, objectives, pareto, recipes
from edgecompile.search.genome import dimensions, patterns
from edgecompile.search.objectives import Limits
from edgecompile.search.proposals import active, starts_of


@pytest.mark.parametrize(
    "points, front",
    [
        pytest.param([(1, 1)], [0], id="alone"),
        pytest.param([(1, 2), (2, 1), (2, 2)], [0, 1], id="two-of-three"),
        pytest.param([(1, 1), (1, 1)], [0], id="equal-ones-count-once"),
        pytest.param([(3,), (1,), (2,)], [1], id="one-objective"),
        pytest.param([(1, float("inf")), (2, 5)], [0, 1], id="not-measured"),
    ],
)
def test_a_front_is_what_none_dominates(points: list[tuple[float, ...]], front: list[int]) -> None:
    assert pareto.front(points) == front


def test_ranks_peel_off_front_by_front() -> None:
    assert pareto.ranks([(1, 1), (2, 2), (3, 3), (1, 4)]) == [0, 1, 2, 1]


def test_the_ends_of_a_front_are_never_crowded() -> None:
    apart = pareto.crowding([(0, 4), (1, 3), (1.1, 2.9), (4, 0)])

    assert apart[0] == apart[3] == float("inf")
    assert apart[2] > apart[1]


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m55", "coral", "android-cpu", "android-gpu"])
def test_every_recipe_that_can_be_proposed_is_one_that_build_takes(target: str) -> None:
    question = asked(target, epochs=8)
    draw = np.random.default_rng(0)
    for _ in range(300):
        genome = {one.name: one.values[int(draw.integers(len(one.values)))] for one in question.space}
        recipe = recipes.recipe_of(active(genome, question.space), short=bool(draw.integers(2)), sensitive=("a", "b.c"))

        assert not check_steps(recipe, passes())
        assert not recipe_check.check(recipe)
        assert not recipe_check.check_numerics(recipe, recipe.numerics or "")


def test_clustering_and_zeros_are_left_out_where_weights_are_stored_as_bytes() -> None:
    plain = {one.name: one.values for one in dimensions(load("coral"), None, 8)}
    forms = {one.name: one.values for one in dimensions(load("cortex-m4"), None, 8)}

    assert plain["values"] == ("all",) and plain["zeros"] == ("none",)
    assert "sparsity" not in plain
    assert forms["values"] == ("all", 16, 15, "4 bits", 4) and forms["zeros"] == ("none", "block2x2")
    assert patterns(load("android-cpu")) == ("unstructured",)


def test_shipped_recipes_are_where_a_search_begins() -> None:
    names = [name for name, _, _ in starts_of(asked(most=None))]

    assert names[:3] == ["one-shot", "one-shot, 15 values", "one-shot, 30 % zeros, 15 values"]
    assert {"int8", "shared-weights", "sparse", "small", "tiny", "low-rank", "distilled"} <= set(names)
    trained = [name for name in names if name.startswith("trained")]
    assert trained == names[3:11]
    assert [name for name, _, _ in starts_of(asked(most=None, epochs=0)) if name.startswith("trained")] == []
    assert "float16" not in names
    assert "shared-weights" not in [name for name, _, _ in starts_of(asked("coral", most=None))]


def test_a_recipe_of_ones_own_is_tried_behind_the_first_however_few_trials_there_are() -> None:
    own = Recipe(name="mine", steps=(Step(name="cluster", options={"k": 8}),), numerics="int8")

    names = [name for name, _, _ in starts_of(replace(asked(most=2), own=own))]

    assert names == ["one-shot", "mine"]


def test_a_shipped_recipe_is_tried_as_it_stands() -> None:
    tried = {name: recipe for name, _, recipe in starts_of(asked(most=None))}

    shipped = read_recipe("small", Path())
    assert recipes.key_of(tried["small"]) == recipes.key_of(shipped)


def test_a_recipe_file_says_what_the_recipe_says(tmp_path: Path) -> None:
    question = asked()
    genome = {one.name: one.values[-1] for one in question.space}
    recipe = recipes.recipe_of(active(genome, question.space), short=False, sensitive=('it\'s "a" layer',))
    file = tmp_path / "best.toml"
    file.write_text(recipes.to_toml(recipe, "What it is."))

    assert recipes.key_of(read_recipe(str(file), tmp_path)) == recipes.key_of(recipe)


def test_short_training_takes_a_quarter_of_the_epochs() -> None:
    genome = {**{one.name: one.values[0] for one in asked(epochs=8).space}, "epochs": 8, "zeros": "block2x2"}

    full, short = (recipes.recipe_of(genome, short=short, sensitive=()) for short in (False, True))

    assert recipes.epochs_of(full) == 8
    assert recipes.epochs_of(short) == 2


def test_the_side_of_the_limit_tells_whether_more_is_better() -> None:
    better = objectives.figures([measure("metric", 0.8, "top1", limit=-1e9), measure("metric_float", 0.9, "top1")])
    worse = objectives.figures([measure("metric", 0.3, "mse", limit=1e9), measure("metric_float", 0.2, "mse")])

    assert better is not None and worse is not None
    assert (better.loss, round(better.drop or 0, 6)) == (-0.8, 0.1)
    assert (worse.loss, round(worse.drop or 0, 6)) == (0.3, 0.1)
    assert objectives.figures([measure("flash_bytes", 1, "bytes")]) is None


def test_objectives_are_what_there_are_budgets_of() -> None:
    assert objectives.chosen((), Limits()) == ("accuracy", "flash")
    assert objectives.chosen((), Limits(ram_bytes=9)) == ("accuracy", "ram")
    assert objectives.chosen(("time", "time"), Limits(ram_bytes=9)) == ("accuracy", "time")
    assert objectives.chosen(("energy",), Limits()) == ("accuracy", "energy")


@pytest.mark.parametrize(
    ("name", "cure"), [("speed", "name one of them, as in `--objective time`"), ("flahs", "did you mean `flash`?")]
)
def test_an_objective_that_there_is_not_is_told_with_those_that_there_are(name: str, cure: str) -> None:
    with pytest.raises(BadInputError, match="EC851") as refused:
        objectives.chosen((name,), Limits())

    (told,) = refused.value.diagnostics
    assert str(told.location) == "command line, `--objective`"
    assert set(objectives.NAMES) <= set(told.notes[0].removeprefix("objectives: ").replace("`", "").split(", "))
    assert told.help[0].startswith(cure)


def test_a_bound_is_never_above_what_the_kernels_store() -> None:
    draw = np.random.default_rng(1)
    codes = draw.integers(-127, 128, (32, 3, 3, 16), dtype=np.int8)
    space = asked().space
    genome = {**{one.name: one.values[0] for one in space}, "zeros": "block2x2", "sparsity": 0.5, "values": 16}
    found = objectives.figures([measure("flash_bytes", 9000, "bytes"), measure("metric", 0.8, "top1", limit=-1e9),
                                measure("metric_float", 0.9, "top1")])  # fmt: skip
    assert found is not None
    in_c = objectives.Figures(**{**found.to_dict(), "methods": {"flash": "measured (linked by a compiler)"}})
    first = costs.Baseline(genome={**genome, "zeros": "none", "values": "all"}, codes=(codes,), figures=in_c,
                           target=load("cortex-m4"))  # fmt: skip

    least = first.weights_bytes(genome)

    assert least < 0.35 * (stored_bytes(codes, "dense") or 0)
    assert first.why_not(genome, Limits(flash_bytes=1000)).startswith("flash: ")
    assert first.why_not(genome, Limits(flash_bytes=9000)) == ""


@pytest.mark.parametrize(
    "text, seconds", [("2h", 7200), ("1h 30m", 5400), ("45 min", 2700), ("90s", 90), ("1.5h", 5400)]
)
def test_durations_are_read_with_their_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "soon", "-1h", "0s", "2h 3"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_a_study_of_other_inputs_is_refused(tmp_path: Path) -> None:
    question = asked()
    opened(tmp_path, question, model="a.keras 1234", flash="64 KiB")

    with pytest.raises(BadInputError, match="EC853") as refused:
        opened(tmp_path, question, model="a.keras 5678", flash="64 KiB")

    assert refused.value.diagnostics[0].notes == ("model: found a.keras 1234; asked a.keras 5678",)


def test_a_study_that_nothing_came_of_is_forgotten_by_who_made_it(tmp_path: Path) -> None:
    question = asked()
    new, place = opened(tmp_path / "new", question), tmp_path / "found"
    opened(place, question)

    new.forget()
    opened(place, question).forget()

    assert not new.folder.exists()
    assert (place / "study.json").is_file()


def test_a_study_with_a_trial_that_is_done_is_kept(tmp_path: Path) -> None:
    question = asked(most=1)
    study = opened(tmp_path, question)
    search(study, question, Formula())

    study.forget()

    assert [one.is_done for one in opened(tmp_path, question).trials()] == [True]


def test_a_torn_last_line_is_taken_away_and_told(tmp_path: Path) -> None:
    question = asked(most=3)
    search(opened(tmp_path, question), question, Formula())
    journal = tmp_path / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":6,"trial')

    study = opened(tmp_path, question)

    assert [one.code for one in study.said] == ["EC860"]
    assert journal.read_bytes() == whole
    assert len(study.trials()) == 3


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda lines: [lines[0], b"garbage\n", *lines[1:]], id="garbage"),
        pytest.param(lambda lines: [lines[0], *lines[2:]], id="a-line-is-missing"),
        pytest.param(lambda lines: [lines[0], b'{"op_code":77}\n', *lines[1:]], id="an-unknown-record"),
        pytest.param(lambda lines: [lines[0], b"[1]\n", *lines[1:]], id="no-record"),
    ],
)
def test_a_damaged_study_is_not_guessed_at(tmp_path: Path, damage: object) -> None:
    question = asked(most=3)
    search(opened(tmp_path, question), question, Formula())
    journal = tmp_path / "journal.log"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(damage(lines)))  # type: ignore[operator]

    with pytest.raises(BadInputError, match="EC859"):
        opened(tmp_path, question)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param(b"garbage\n", "`garbage`", id="text"),
        pytest.param("fünf\n".encode(), "`fünf`", id="letters"),
        pytest.param(b"\xff\x00\x1b[2J\n", "`\\xff\\x00\\x1b[2J`", id="bytes"),
        pytest.param(b"x" * 900 + b"\n", f"`{57 * 'x'}...`", id="long"),
        pytest.param(b"\n", "an empty line", id="empty"),
    ],
)
def test_a_damaged_line_of_a_study_is_shown_so_that_it_can_be_read(tmp_path: Path, line: bytes, shown: str) -> None:
    question = asked()
    opened(tmp_path, question)
    journal = tmp_path / "journal.log"
    journal.write_bytes(line + b"{}\n" + journal.read_bytes())

    with pytest.raises(BadInputError, match="EC859") as refused:
        opened(tmp_path, question)

    assert refused.value.diagnostics[0].notes == (f"line 1 is no record of a trial: {shown}",)


def test_a_damaged_card_is_told(tmp_path: Path) -> None:
    question = asked()
    opened(tmp_path, question)
    (tmp_path / "study.json").write_text("{")

    with pytest.raises(BadInputError, match="EC859"):
        opened(tmp_path, question)


def test_a_card_that_says_nothing_is_damaged_and_not_of_something_else(tmp_path: Path) -> None:
    question = asked()
    opened(tmp_path, question, model="a.keras 1234")
    (tmp_path / "study.json").write_text("{}")

    with pytest.raises(BadInputError, match="EC859") as refused:
        opened(tmp_path, question, model="a.keras 1234")

    (problem,) = refused.value.diagnostics
    assert "does not say what the trials are of" in problem.notes[0]
    assert problem.help[0].startswith("name another folder with `--study`")


def test_what_a_card_lacks_is_told_as_nothing(tmp_path: Path) -> None:
    question = asked()
    opened(tmp_path, question, model="a.keras 1234")

    with pytest.raises(BadInputError, match="EC853") as refused:
        opened(tmp_path, question, model="a.keras 1234", flash="32 KiB")

    assert refused.value.diagnostics[0].notes == ("flash: found nothing; asked 32 KiB",)


@pytest.mark.parametrize("lose", [lambda path: path.write_bytes(b""), Path.unlink], ids=["emptied", "gone"])
def test_a_study_whose_trials_are_gone_begins_anew_and_says_so(tmp_path: Path, lose: Callable[[Path], object]) -> None:
    question = asked(most=3)
    search(opened(tmp_path, question), question, Formula())
    lose(tmp_path / "journal.log")

    study = opened(tmp_path, question)

    assert [(one.code, one.severity.value) for one in study.said] == [("EC868", "warning")]
    assert "beside traces of 3 trials" in study.said[0].notes[0]
    assert study.trials() == []


def test_a_study_that_has_no_trials_yet_is_not_said_to_have_lost_any(tmp_path: Path) -> None:
    question = asked()
    opened(tmp_path, question)
    (tmp_path / "journal.log").write_bytes(b"")

    assert opened(tmp_path, question).said == []


@pytest.mark.parametrize("name", ["study.json", "journal.log"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)

    with pytest.raises(BadInputError, match="EC859"):
        opened(tmp_path, asked())


def test_trials_without_their_card_are_not_guessed_at(tmp_path: Path) -> None:
    question = asked(most=1)
    search(opened(tmp_path, question), question, Formula())
    (tmp_path / "study.json").unlink()

    with pytest.raises(BadInputError, match="EC859"):
        opened(tmp_path, question)


def test_a_studys_facts_are_json_all_the_way(tmp_path: Path) -> None:
    question = asked(most=5)
    search(opened(tmp_path, question), question, Formula())

    lines = (tmp_path / "journal.log").read_text().splitlines()

    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_optuna_learns_from_what_it_is_shown_and_repeats_itself() -> None:
    choices = {f"d{index}": optuna.Choice(count=6, ordered=index > 0) for index in range(4)}
    draw = np.random.default_rng(0)
    places = [{name: int(draw.integers(6)) for name in choices} for _ in range(60)]
    seen = [
        optuna.Seen(place=one, objectives=(one["d1"], -one["d2"]), violations=(1 if one["d3"] > 2 else -1,))
        for one in places
    ]
    seen.append(optuna.Seen(place=places[0], objectives=(0, float("inf")), violations=(0,)))

    made = [optuna.propose(choices, seen, seed) for seed in range(30)]

    assert made == [optuna.propose(choices, seen, seed) for seed in range(30)]
    assert len({tuple(one.values()) for one in made}) > 5
    # Half of free draws would lie in the better half; two thirds of what was learned do.
    assert sum(one["d1"] <= 2 for one in made) > 20 and sum(one["d3"] <= 2 for one in made) > 20
