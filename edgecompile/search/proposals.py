"""What to try next: where a search starts, who is trained in full, Optuna's proposals, and neighbours of the front.

A trial's proposal depends on the seed, its number, and the trials that are a few numbers behind it (``lag``), which
must be done: so it is the same however many work at once, and the same after an interruption.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgecompile.compress.recipe_check import INTEGER
from edgecompile.core.recipe import Recipe, Step
from edgecompile.core.target import Target
from edgecompile.libs import optuna
from edgecompile.search import pareto, recipes
from edgecompile.search.genome import Dimension, Genome, key
from edgecompile.search.objectives import Limits, point, violations
from edgecompile.search.study import COMPLETE, DISCARDED, RUNNING, Trial

# How many trials may be under way, the fewest; also how far behind a proposal the trials are that it sees.
LAG = 4
# One of that many short trials is trained in full; towards the end all that are worth it.
_ETA = 3
_LAST_SHARE = 0.75
# Multiply-accumulates of a sample's way there and back, and so many that a processor makes them within a minute or two:
# on keyword spotting, 16 epochs of 1,587 samples (2e11) take 16 s of the 75 s of all steps, short or not.
_PASSES, _QUICK_MACS = 3, 5e11
SENSITIVITY = "sensitivity"
_ATTEMPTS = 60
_LEARNED_FROM = 6
# How often a recipe of the front is tried with batch norms measured again: seconds, and mostly a gain
# (`scripts/bench oneshot`).
_STATISTICS = 0.5
# How often one is trained better and stays as it is else: what dominates it if anything does, for bytes stay the same.
_TRAINED = 0.4


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What proposals depend on besides trials. ``most``: trials to build at most, None: no bound."""

    space: Sequence[Dimension]
    target: Target
    own: Recipe | None
    names: tuple[str, ...]
    limits: Limits
    seed: int
    most: int | None
    lag: int = LAG


def propose(asked: Asked, trials: Sequence[Trial], number: int) -> Trial | None:
    """The trial of that number; None where nothing new was found. ``trials``: all before it, done or not."""
    begun = starts_of(asked)
    if number < len(begun):
        name, genome, recipe = begun[number]
        if number == 0 and genome["numerics"] in INTEGER:
            recipe = replace(recipe, steps=(*recipe.steps, Step(name=SENSITIVITY)))
        return _trial(number, genome, recipe, f"start: {name}", full=True)
    seen = [one for one in trials if one.number <= number - asked.lag or one.number == 0]
    return _promoted(asked, trials, seen, number) or _fresh(asked, trials, seen, number)


def starts_of(asked: Asked) -> list[tuple[str, dict[str, Any], Recipe]]:
    """Where the search begins: no more than two thirds of its trials."""
    begun = recipes.starts(asked.target, asked.space, asked.own)
    return begun if asked.most is None else begun[: max(1, (2 * asked.most + 2) // 3)]


def is_ready(asked: Asked, trials: Sequence[Trial], number: int) -> bool:
    """Whether all that the proposal of that number sees is done; where a search begins sees nothing."""
    return number < len(starts_of(asked)) or all(
        one.is_done for one in trials if one.number <= number - asked.lag or one.number == 0
    )


def built(trials: Sequence[Trial]) -> int:
    """Trials that are or were built, discarded ones left out."""
    return sum(one.state != DISCARDED for one in trials)


def _promoted(asked: Asked, trials: Sequence[Trial], seen: Sequence[Trial], number: int) -> Trial | None:
    """The best of the short trials, where it is time to train one in full."""
    done = {one.promoted for one in trials}
    shorts = [one for one in seen if not one.full and one.state == COMPLETE and one.figures]
    waiting = [one for one in shorts if one.number not in done]
    late = asked.most is not None and built(trials) >= _LAST_SHARE * asked.most
    if not waiting or (not late and len(done) - 1 >= len(shorts) // _ETA):
        return None
    everyone = [one for one in seen if one.figures is not None]
    points = [point(one.figures, asked.names) for one in everyone if one.figures]
    rank, apart = pareto.ranks(points), pareto.crowding(points)
    order = {one.number: (rank[i], -apart[i]) for i, one in enumerate(everyone)}
    best = min(waiting, key=lambda one: (_over(one, asked.limits), *order[one.number], one.number))
    if order[best.number][0] > 1:
        return None
    recipe = recipes.recipe_of(best.genome, short=False, sensitive=_sensitive(trials))
    return _trial(number, best.genome, recipe, f"trial {best.number} in full", full=True, promoted=best.number)


def _over(trial: Trial, limits: Limits) -> float:
    """How far bytes are over budget; scores get better with training."""
    found = violations(trial.figures, limits) if trial.figures else {}
    return sum(max(over, 0.0) for name, over in found.items() if name != "drop")


def _fresh(asked: Asked, trials: Sequence[Trial], seen: Sequence[Trial], number: int) -> Trial | None:
    tried = {recipes.key_of(one.recipe) for one in trials} | {key(active(one.genome, asked.space)) for one in trials}
    for attempt in range(_ATTEMPTS):
        draw = random.Random(f"{asked.seed} {number} {attempt}")
        genome, origin = _drawn(asked, seen, draw, number + attempt)
        genome = active(genome, asked.space)
        short = recipes.trains(genome) and not _is_quick(genome, trials)
        recipe = recipes.recipe_of(genome, short=short, sensitive=_sensitive(trials))
        if key(genome) not in tried and recipes.key_of(recipe) not in tried:
            return _trial(number, genome, recipe, origin, full=not short)
    return None


def _is_quick(genome: Genome, trials: Sequence[Trial]) -> bool:
    """Whether training takes no longer than what a trial does besides: then a short one would save next to nothing."""
    first = trials[0]
    macs = float(first.figures.values.get("macs", 0.0)) if first.figures else 0.0
    return bool(0 < _PASSES * macs * first.samples * genome["epochs"] <= _QUICK_MACS)


def _drawn(asked: Asked, seen: Sequence[Trial], draw: random.Random, turn: int) -> tuple[dict[str, Any], str]:
    scored = [one for one in _newest(seen) if one.figures is not None]
    if len(scored) < _LEARNED_FROM or turn % 4 == 3:
        first = {one.name: one.values[0] for one in asked.space}
        return _moved(first, asked.space, draw, draw.randint(2, 5)), "drawn"
    if turn % 2:
        best = [scored[i] for i in pareto.front([_penalized(one, asked) for one in scored])]
        parent = draw.choice(best)
        if not parent.genome["batch_norm"] and draw.random() < _STATISTICS:
            return {**parent.genome, "batch_norm": True}, f"trial {parent.number} with statistics measured again"
        better = _trained_better(parent.genome, asked.space, draw)
        if better != parent.genome and draw.random() < _TRAINED:
            return better, f"trial {parent.number} trained better"
        return _moved(parent.genome, asked.space, draw, draw.randint(1, 2)), f"beside trial {parent.number}"
    choices = {one.name: optuna.Choice(count=len(one.values), ordered=one.ordered) for one in asked.space}
    place = optuna.propose(choices, [_seen(one, asked) for one in scored], draw.randrange(2**31))
    return {one.name: one.values[int(place[one.name])] for one in asked.space}, "Optuna's TPE"


def _trained_better(genome: Genome, space: Sequence[Dimension], draw: random.Random) -> dict[str, Any]:
    """The same form of weights, with all the training that there may be before and after it gets that form."""
    known = {one.name: one.values for one in space}
    starts = [value for value in known["start"] if value != known["start"][0]]
    return {**genome, "batch_norm": True, "epochs": known["epochs"][-1], "start": draw.choice(starts)}


def active(genome: Genome, space: Sequence[Dimension]) -> dict[str, Any]:
    """The genome with the first value wherever a dimension has no meaning: one recipe, one genome."""
    first = {one.name: one.values[0] for one in space}
    made = dict(genome)
    if made["numerics"] not in INTEGER:
        made["values"], made["calibration"] = first["values"], first["calibration"]
        # Blocks of zeros are a form of int8 weights.
        made["zeros"] = first["zeros"] if made["zeros"] == "block2x2" else made["zeros"]
    idle = {
        "kept": made["shape"] == "whole",
        "sparsity": made["zeros"] == "none",
        # Layers that were split have other names.
        "spared": (made["zeros"] == "none" and not isinstance(made["values"], int)) or made["shape"] == "rank",
        "start": not made["epochs"],
    }
    made |= {name: first[name] for name, is_idle in idle.items() if is_idle and name in first}
    return made


def _moved(genome: Genome, space: Sequence[Dimension], draw: random.Random, count: int) -> dict[str, Any]:
    """The genome with some values changed: of ordered ones to a near one."""
    made = dict(genome)
    several = [one for one in space if len(one.values) > 1]
    for one in draw.sample(several, min(count, len(several))):
        here = one.values.index(made[one.name])
        steps = (-2, -1, 1, 2) if one.ordered else range(1, len(one.values))
        there = [
            place
            for step in steps
            if 0 <= (place := here + step if one.ordered else (here + step) % len(one.values)) < len(one.values)
        ]
        made[one.name] = one.values[draw.choice(there)]
    return made


def _newest(seen: Sequence[Trial]) -> list[Trial]:
    """Of each genome the trial that was trained most."""
    found: dict[str, Trial] = {}
    for one in seen:
        if one.state == COMPLETE and (one.full or key(one.genome) not in found):
            found[key(one.genome)] = one
    return list(found.values())


def _seen(trial: Trial, asked: Asked) -> optuna.Seen:
    assert trial.figures is not None
    return optuna.Seen(
        place={one.name: one.values.index(trial.genome[one.name]) for one in asked.space},
        objectives=point(trial.figures, asked.names),
        violations=tuple(violations(trial.figures, asked.limits).values()) or (0.0,),
    )


def _penalized(trial: Trial, asked: Asked) -> tuple[float, ...]:
    """Objectives, and what limits are passed by as one more."""
    assert trial.figures is not None
    over = sum(max(one, 0.0) for one in violations(trial.figures, asked.limits).values())
    return (*point(trial.figures, asked.names), over)


def _sensitive(trials: Sequence[Trial]) -> tuple[str, ...]:
    return next((one.sensitive for one in trials if one.sensitive), ())


def _trial(
    number: int, genome: Mapping[str, Any], recipe: Recipe, origin: str, *, full: bool, promoted: int | None = None
) -> Trial:
    return Trial(
        number=number, state=RUNNING, genome=genome, recipe=recipe, origin=origin, full=full, promoted=promoted
    )
