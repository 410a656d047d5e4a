"""Recipes whose steps do not go together are told so before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest

from edgecompile.compress import contract, recipe_check, run
from edgecompile.compress.context import Context
from edgecompile.compress.option import option
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import InternalError
from edgecompile.core.recipe import Recipe, Step
from edgecompile.ir.build import NetworkBuilder


@dataclass(frozen=True, kw_only=True)
class Share:
    """Make weights share values."""

    k: int = option(16, "How many values a tensor keeps.", minimum=2, maximum=255)
    phase: ClassVar[str] = "float"
    makes: ClassVar[frozenset[str]] = frozenset({"sharing"})
    keeps: ClassVar[frozenset[str]] = frozenset({"sparsity", "sharing"})

    def contradictions(self) -> tuple[Diagnostic, ...]:
        """Thirteen is told."""
        return (Diagnostic(code="EC323", message="13 brings no luck", help=("take 12",)),) if self.k == 13 else ()

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject."""
        return subject

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """Never holds."""
        return (Diagnostic(code="EC307", message="50 values are left"),)


@dataclass(frozen=True, kw_only=True)
class Scale(Share):
    """Scale single channels."""

    makes: ClassVar[frozenset[str]] = frozenset()
    keeps: ClassVar[frozenset[str]] = frozenset({"sparsity"})

    def undone_help(self, lost: str) -> str:
        """What to do."""
        return f"put `scale` in front of what makes {lost}"


@dataclass(frozen=True, kw_only=True)
class Train(Share):
    """Train in integers."""

    phase: ClassVar[str] = "quantized"
    makes: ClassVar[frozenset[str]] = frozenset()


@pytest.fixture(autouse=True)
def _three_passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {"share": Share, "scale": Scale, "train": Train}
    monkeypatch.setattr(recipe_check, "passes", lambda: known)
    yield


def _recipe(*steps: Step) -> Recipe:
    return Recipe(name="mine", steps=steps)


@pytest.mark.parametrize(
    ("steps", "codes"),
    [
        pytest.param([Step(name="share"), Step(name="train")], [], id="sound"),
        pytest.param([Step(name="scale"), Step(name="share")], [], id="in-the-right-order"),
        pytest.param([Step(name="share"), Step(name="scale")], ["EC304"], id="undone"),
        pytest.param([Step(name="train"), Step(name="share")], ["EC305"], id="float-behind-integers"),
        pytest.param([Step(name="share", options={"kk": 3})], ["EC123"], id="unknown-option"),
        pytest.param([Step(name="share", options={"k": "3"})], ["EC124"], id="wrong-type"),
        pytest.param([Step(name="share", options={"k": 1})], ["EC125"], id="out-of-range"),
        pytest.param([Step(name="share", options={"k": 13})], ["EC323"], id="options-that-exclude-each-other"),
    ],
)
def test_steps_are_held_against_each_other(steps: list[Step], codes: list[str]) -> None:
    found = recipe_check.check(_recipe(*steps))

    assert [diagnostic.code for diagnostic in found] == codes


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param(Step(name="prune", options={"pattern": "2:4", "sparsity": 0.7}), "EC323", id="half"),
        pytest.param(Step(name="prune", options={"course": "polynomial", "begin": 0.8}), "EC323", id="course"),
        pytest.param(Step(name="low_rank", options={"macs": 0.5, "ratio": 0.5}), "EC332", id="two-goals"),
        pytest.param(Step(name="cluster", options={"skip": ["conv("]}), "EC124", id="unfinished-pattern"),
    ],
)
def test_passes_are_asked_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch, step: Step, code: str) -> None:
    monkeypatch.setattr(recipe_check, "passes", contract.passes)

    found = recipe_check.check(_recipe(step))

    assert [one.code for one in found] == [code]
    assert found[0].notes


def test_the_help_says_how_to_keep_what_would_be_lost() -> None:
    found = recipe_check.check(_recipe(Step(name="share"), Step(name="scale")))

    assert found[0].message == "step `scale` would undo the sharing that `share` made"
    assert found[0].help == ("put `scale` in front of what makes sharing",)


def test_what_a_pass_says_of_its_options_names_the_step() -> None:
    found = recipe_check.check(_recipe(Step(name="scale"), Step(name="share", options={"k": 13})))

    assert [one.location.detail for one in found if one.location] == ["recipe `mine`, step 2"]


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        pytest.param([Step(name="share", options={"k": 1})], "my/r.toml, [step 1, share] `k`", id="option"),
        pytest.param([Step(name="share"), Step(name="scale")], "my/r.toml, recipe `mine`, step 2", id="order"),
    ],
)
def test_what_is_wrong_with_a_step_names_the_file_that_it_stands_in(steps: list[Step], place: str) -> None:
    found = recipe_check.check(Recipe(name="mine", steps=tuple(steps), file="my/r.toml"))

    assert [str(one.location) for one in found] == [place]


@pytest.mark.parametrize(("numerics", "codes"), [("int8", []), ("float16", ["EC306"])])
def test_steps_on_integers_need_integers(numerics: str, codes: list[str]) -> None:
    found = recipe_check.check_numerics(_recipe(Step(name="train")), numerics)

    assert [diagnostic.code for diagnostic in found] == codes


def test_a_pass_that_breaks_its_promise_stops_the_run() -> None:
    build = NetworkBuilder()
    network = build.output(build.input("x", (1, 2))).build()
    context = Context(quantize=lambda network: network)

    with pytest.raises(InternalError, match="50 values are left") as error:
        run.run(Subject(network=network), [run.Named(title="share", one=Share())], context, {}, print)

    assert error.value.diagnostics[0].code == "EC307"
