"""Hold a recipe's steps against each other and against the options of their passes, before anything is loaded."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.compress.contract import Pass, passes
from edgecompile.compress.option import check_options, make
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.recipe import Recipe, Step

# Numerics whose weights become integers: without them there is nothing for a quantized pass to work on.
INTEGER = ("int8", "int16x8")
# Phases of passes in their order, and what each works on.
WORKS_ON = {"model": "the Keras model", "float": "the float network", "quantized": "integers"}


def check(recipe: Recipe) -> tuple[Diagnostic, ...]:
    """What is wrong with a recipe whose passes all exist.

    EC123 to EC125 for options, and what a pass says of those that exclude each other; EC304 for a step that would undo
    an earlier one; EC305 for a step on floats behind one on integers.
    """
    wrong = tuple(
        diagnostic for index, step in enumerate(recipe.steps) for diagnostic in _check_options(recipe, index, step)
    )
    return wrong or (*_contradictions(recipe), *_undone(recipe), *_out_of_order(recipe))


def _check_options(recipe: Recipe, index: int, step: Step) -> tuple[Diagnostic, ...]:
    where = recipe.file or f"recipe `{recipe.name}`"
    return check_options(passes()[step.name], step, where, f"step {index + 1}, {step.name}")


def check_numerics(recipe: Recipe, numerics: str) -> tuple[Diagnostic, ...]:
    """EC306 for a step on integers in a recipe that ends in floats."""
    if numerics in INTEGER:
        return ()
    return tuple(
        Diagnostic(
            code="EC306",
            message=f"step `{step.name}` works on integers, and `{numerics}` has none to work on",
            location=recipe.place(index),
            notes=(f"numerics with integers: {', '.join(INTEGER)}; found: {numerics}",),
            help=(f"take `{step.name}` out of the recipe", "or build with `--numerics int8`"),
        )
        for index, step in enumerate(recipe.steps)
        if passes()[step.name].phase == "quantized"
    )


def on_model(recipe: Recipe) -> tuple[str, ...]:
    """Names of the steps that change the Keras model itself, before it is a network."""
    return tuple(step.name for step in recipe.steps if passes()[step.name].phase == "model")


def steps_of(recipe: Recipe) -> tuple[Pass, ...]:
    """The recipe's passes with their options, in order; the recipe was checked."""
    return tuple(make(passes()[step.name], step) for step in recipe.steps)


def trains(recipe: Recipe) -> bool:
    """Whether a step of it goes over the training samples; the recipe was checked."""
    return any(getattr(one, "epochs", 0) > 0 for one in steps_of(recipe))


def _contradictions(recipe: Recipe) -> tuple[Diagnostic, ...]:
    return tuple(
        replace(diagnostic, location=recipe.place(index))
        for index, one in enumerate(steps_of(recipe))
        for diagnostic in one.contradictions()
    )


def _undone(recipe: Recipe) -> tuple[Diagnostic, ...]:
    found = []
    made: dict[str, str] = {}
    for index, (step, one) in enumerate(zip(recipe.steps, steps_of(recipe), strict=True)):
        for lost in sorted(made.keys() - one.keeps - one.makes):
            found.append(
                Diagnostic(
                    code="EC304",
                    message=f"step `{step.name}` would undo the {lost} that `{made[lost]}` made",
                    location=recipe.place(index),
                    notes=(f"made by `{made[lost]}`: {lost}", f"kept by `{step.name}`: {_listed(one.keeps)}"),
                    help=(one.undone_help(lost),),
                )
            )
        made.update(dict.fromkeys(one.makes, step.name))
    return tuple(found)


def _out_of_order(recipe: Recipe) -> tuple[Diagnostic, ...]:
    found = []
    latest: str | None = None
    for index, step in enumerate(recipe.steps):
        if latest is None or _rank(step.name) >= _rank(latest):
            latest = step.name
            continue
        found.append(
            Diagnostic(
                code="EC305",
                message=f"step `{step.name}` works on {_works_on(step.name)} and comes too late",
                location=recipe.place(index),
                notes=(f"`{latest}` works on {_works_on(latest)}", f"the order: {', then '.join(WORKS_ON.values())}"),
                help=(f"put `{step.name}` before `{latest}`",),
            )
        )
    return tuple(found)


def _rank(name: str) -> int:
    return list(WORKS_ON).index(passes()[name].phase)


def _works_on(name: str) -> str:
    return WORKS_ON[passes()[name].phase]


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) if names else "nothing"
