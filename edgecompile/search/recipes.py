"""From a genome to a recipe, and from the shipped recipes to the genomes where a search starts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from edgecompile.compress.contract import passes
from edgecompile.compress.recipe_check import INTEGER
from edgecompile.config import recipes as config
from edgecompile.core.recipe import Recipe, Step
from edgecompile.core.target import Target
from edgecompile.core.units import counted
from edgecompile.search.genome import Dimension, Genome, complete, patterns

# How steps divide the epochs among them: what breaks most is trained most. Blocks of zeros gain from all that they get
# (`scripts/bench compress`, 14 of 16 epochs with them instead of 6: KWS 0.9070 for 0.8913, ResNet-8 0.8624 for 0.8572).
_SHARES = {"finetune": 1, "distill": 1, "prune_channels": 2, "low_rank": 2, "prune": 6, "cluster": 1, "quantize": 1}
# A short trial trains for that share of the epochs.
_SHORT = 4
# Seconds, no training, and most of what there is to gain (`scripts/bench compress`): where every search begins.
_ONE_SHOT: tuple[tuple[str, Genome], ...] = (
    ("one-shot", {}),
    ("one-shot, 15 values", {"values": 15}),
    ("one-shot, 30 % zeros, 15 values", {"zeros": "block2x2", "sparsity": 0.3, "values": 15}),
)
# The same forms with all the training that is granted: what a shipped recipe of that form gives, and mostly better.
# Zeros are a little more than shipped recipes ask for: code differs by some dozen bytes between networks of equal form,
# so that as many zeros may take more flash.
_TRAINED: tuple[tuple[str, Genome], ...] = (
    ("trained, 15 values", {"values": 15, "start": "finetune"}),
    ("trained, 52 % zeros, 15 values", {"zeros": "block2x2", "sparsity": 0.52, "values": 15}),
    ("trained, 62 % zeros, 15 values", {"zeros": "block2x2", "sparsity": 0.62, "values": 15}),
    ("trained, 4 values", {"values": 4, "start": "finetune"}),
    ("trained, half the products, 15 values", {"shape": "channels", "kept": 0.5, "values": 15}),
    ("trained, 30 % zeros, 15 values", {"zeros": "block2x2", "sparsity": 0.3, "values": 15}),
    ("trained", {"start": "finetune"}),
    ("trained, 30 % zeros, 4 values", {"zeros": "block2x2", "sparsity": 0.3, "values": 4}),
)


def recipe_of(genome: Genome, *, short: bool, sensitive: Sequence[str], name: str = "tuned") -> Recipe:
    """The recipe that a genome means. ``sensitive``: layers by the harm that integers do to them, most first.

    ``short``: a quarter of the epochs.
    """
    integers = genome["numerics"] in INTEGER
    skip = [rf"(^|[/;]){re.escape(layer)}([/;:]|$)" for layer in sensitive[: genome.get("spared", 0)]]
    steps: list[tuple[str, dict[str, Any]]] = [("batch_norm", {})] if genome["batch_norm"] else []
    if genome["start"] != "as given" and genome["epochs"]:
        steps.append((genome["start"], {}))
    if genome["shape"] == "channels":
        steps.append(("prune_channels", {"macs": genome["kept"]}))
    if genome["shape"] == "rank":
        steps.append(("low_rank", {"parameters": genome["kept"]}))
    if genome["zeros"] != "none":
        steps.append(("prune", {"pattern": genome["zeros"], "sparsity": genome["sparsity"], **_but(skip)}))
    if isinstance(genome["values"], int) and integers:
        steps.append(("cluster", {"k": genome["values"], **_but(skip)}))
    bits = {"bits": 4} if genome["values"] == "4 bits" else {}
    if integers and (genome["epochs"] or bits):
        steps.append(("quantize", bits))
    return Recipe(
        name=name,
        steps=_with_epochs(steps, _epochs(genome["epochs"], short)),
        numerics=genome["numerics"],
        calibration=genome["calibration"],
    )


def trains(genome: Genome) -> bool:
    """Whether a short trial of it differs from a full one."""
    return bool(_epochs(genome["epochs"], True) != genome["epochs"])


def starts(target: Target, space: Sequence[Dimension], own: Recipe | None) -> list[tuple[str, dict[str, Any], Recipe]]:
    """Where a search begins: name, genome, recipe. What trains nothing comes first, then what trains as long as it may,
    then the shipped recipes.

    A shipped recipe is taken as it stands; its genome is the nearest one. ``own``, the user's recipe, is the second.
    """
    known = {one.name: one.values for one in space}
    found = []
    trained = [(name, {**chosen, "epochs": known["epochs"][-1]}) for name, chosen in _TRAINED]
    for name, chosen in (*_ONE_SHOT, *(trained if known["epochs"][-1] else ())):
        genome = complete(space, {"numerics": known["numerics"][0], "epochs": 0, **chosen})
        if all(genome.get(key) == value for key, value in chosen.items()):
            found.append((name, genome, recipe_of(genome, short=False, sensitive=(), name=name)))
    for recipe in _shipped():
        if _numerics(recipe, known) in known["numerics"] and _pays(recipe, target):
            found.append((recipe.name, complete(space, _genome(recipe, known)), recipe))
    if own:
        found.insert(1, (own.name, complete(space, _genome(own, known)), own))
    seen: dict[str, None] = {}
    return [one for one in found if not (key_of(one[2]) in seen or seen.setdefault(key_of(one[2])))]


@cache
def _shipped() -> tuple[Recipe, ...]:
    """The shipped recipes, those that train least first."""
    found = [config.read_recipe(name, path.parent) for name, path in config.shipped().items() if name != "none"]
    return tuple(sorted(found, key=lambda recipe: sum(step.options.get("epochs", 0) for step in recipe.steps)))


def key_of(recipe: Recipe) -> str:
    """Equal for recipes that do the same, whatever they are called."""
    return json.dumps([to_plain(recipe)["steps"], recipe.numerics, recipe.calibration])


def to_plain(recipe: Recipe) -> dict[str, Any]:
    """JSON types; :func:`from_plain` gives the recipe back."""
    steps = [{"pass": step.name, **{k: _listed(v) for k, v in step.options.items()}} for step in recipe.steps]
    plain: dict[str, Any] = {"name": recipe.name, "steps": steps, "calibration": recipe.calibration}
    return plain if recipe.numerics is None else {**plain, "numerics": recipe.numerics}


def from_plain(plain: Mapping[str, Any]) -> Recipe:
    """What :func:`to_plain` made plain."""
    return config.from_table(dict(plain), file="study", table="", name="tuned")


def to_toml(recipe: Recipe, about: str) -> str:
    """A recipe file that `build --recipe FILE` takes."""
    lines = ["schema = 1", f"name = {json.dumps(recipe.name)}", f"about = {json.dumps(about)}"]
    lines += [f"numerics = {json.dumps(recipe.numerics)}"] if recipe.numerics else []
    lines += [f"calibration = {json.dumps(recipe.calibration)}", "steps = ["]
    lines += ["    { " + ", ".join(_pair(k, v) for k, v in step.items()) + " }," for step in to_plain(recipe)["steps"]]
    return "\n".join([*lines, "]", ""])


def title(recipe: Recipe) -> str:
    """``prune 0.5 -> cluster 16 -> quantize, int8``: a recipe in a few words."""
    words = [" ".join([step.name, *_words(step.options)]) for step in recipe.steps]
    return ", ".join(word for word in (" -> ".join(words), recipe.numerics or "") if word) or "as given"


def epochs_of(recipe: Recipe) -> int:
    """How often training sees every sample, over all steps, defaults included."""
    return sum(int(step.options.get("epochs", _default(step.name))) for step in recipe.steps)


def _default(name: str) -> int:
    kind = passes().get(name)
    return int(getattr(kind, "epochs", 0)) if kind else 0


def _words(options: Mapping[str, Any]) -> list[str]:
    shown = [str(value) for key, value in options.items() if key not in ("epochs", "skip", "pattern")]
    shown += [f"but {counted(len(options['skip']), 'layer')}"] if options.get("skip") else []
    return shown + ([f"({counted(options['epochs'], 'epoch')})"] if options.get("epochs") else [])


def _but(skip: Sequence[str]) -> dict[str, Any]:
    return {"skip": list(skip)} if skip else {}


def _epochs(count: int, short: bool) -> int:
    return max(1, count // _SHORT) if short and count else count


def _with_epochs(steps: Sequence[tuple[str, dict[str, Any]]], count: int) -> tuple[Step, ...]:
    """The epochs divided by ``_SHARES``, by largest remainders; without any, integers as they are need no step."""
    shares = {name: _SHARES[name] for name, _ in steps if name in _SHARES}
    exact = {name: count * share / max(sum(shares.values()), 1) for name, share in shares.items()}
    divided = {name: int(part) for name, part in exact.items()}
    order = sorted(exact, key=lambda name: (divided[name] - exact[name], -shares[name]))
    for name in order[: count - sum(divided.values())]:
        divided[name] += 1
    return tuple(
        Step(name=name, options={**options, **({"epochs": divided[name]} if name in divided else {})})
        for name, options in steps
        if name != "quantize" or options or divided[name]
    )


def _numerics(recipe: Recipe, known: Mapping[str, Sequence[Any]]) -> str:
    return recipe.numerics or str(known["numerics"][0])


def _pays(recipe: Recipe, target: Target) -> bool:
    """Whether the target stores what the recipe makes of weights in fewer bytes."""
    steps = {step.name: step.options for step in recipe.steps}
    if "prune" in steps and steps["prune"].get("pattern", "unstructured") not in patterns(target):
        return False
    return "cluster" not in steps or "shared4" in target.weight_forms


def _genome(recipe: Recipe, known: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    steps = {step.name: step.options for step in recipe.steps}
    shape = "channels" if "prune_channels" in steps else "rank" if "low_rank" in steps else "whole"
    return {
        "numerics": _numerics(recipe, known),
        "calibration": recipe.calibration,
        "batch_norm": "batch_norm" in steps,
        "shape": shape,
        "kept": 0.5,
        "zeros": steps["prune"].get("pattern", "unstructured") if "prune" in steps else "none",
        "sparsity": steps["prune"].get("sparsity", 0.5) if "prune" in steps else 0.5,
        "values": steps["cluster"].get("k", 16) if "cluster" in steps else "all",
        "spared": 0,
        "start": next((name for name in ("distill", "finetune") if name in steps), "as given"),
        "epochs": epochs_of(recipe),
    }


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _pair(name: str, value: Any) -> str:
    return f"{name} = {json.dumps(value)}"
