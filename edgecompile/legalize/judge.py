"""One operator against a target's clauses: accepted, or refused against the nearest clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.target import Clause, Target
from edgecompile.legalize.context import Context
from edgecompile.legalize.rules import RULES

UNTIL = "below_level"
# These say which form of an operator a clause is about; a clause of the operator's own form is the nearer one.
FORMS = ("dtypes", "activation_dtypes", "computes_in", "input_dtypes", "input_counts")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A rule that the operator does not keep: what the clause allows and what was found."""

    rule: str
    limit: Any
    found: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """``failures`` empty and ``clause`` there: accepted by it. ``clause`` None: the target has no such operator.

    ``other_level`` is a level at which the operator would be accepted as it is.
    """

    clause: Clause | None
    failures: tuple[Failure, ...] = ()
    other_level: int | None = None

    @property
    def accepted(self) -> bool:
        """The operator keeps every rule of one clause."""
        return self.clause is not None and not self.failures


def judge(context: Context) -> Judgement:
    """The first clause that accepts, else the one with the fewest failing rules.

    Of equals it is one for the operator's own types and number of inputs, then the first.

    Clauses for levels that the target has passed do not count. Raises BadInputError: EC510
    for a clause with a word that is not a rule.
    """
    clauses = _reachable(context.target, context.target.operators.get(context.operator.label, ()))
    tried = []
    for clause in clauses:
        failures = failures_of(context, clause.rules)
        if not failures:
            return Judgement(clause=clause)
        tried.append((clause, failures))
    if not tried:
        return Judgement(clause=None)
    nearest, failures = min(tried, key=lambda one: _distance(one[1]))
    return Judgement(clause=nearest, failures=failures, other_level=_other_level(tried))


def _reachable(target: Target, clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    level = target.level
    return tuple(clause for clause in clauses if level is None or level < clause.rules.get(UNTIL, level + 1))


def failures_of(context: Context, rules: Mapping[str, Any]) -> tuple[Failure, ...]:
    """The rules, of a clause or any others, that the operator does not keep, in their order."""
    checked = ((name, limit) for name, limit in rules.items() if name != UNTIL)
    return tuple(
        Failure(rule=name, limit=limit, found=found)
        for name, limit in checked
        if (found := _rule(name, context.target)(context, limit)) is not None
    )


def _rule(name: str, target: Target) -> Any:
    if name in RULES:
        return RULES[name]
    raise bad_input(
        "EC510",
        f"target `{target.id}` asks for a rule `{name}` that this version does not know",
        help=did_you_mean(name, RULES) or ("update edgecompile, or take the rule out of the profile",),
    )


def _distance(failures: Sequence[Failure]) -> tuple[bool, int, bool]:
    """Clauses of a higher level are nearest only when there is none of this level."""
    rules = [failure.rule for failure in failures]
    return "min_level" in rules, len(rules), any(rule in FORMS for rule in rules)


def _other_level(tried: Sequence[tuple[Clause, Sequence[Failure]]]) -> int | None:
    levels = [failures[0].limit for _, failures in tried if len(failures) == 1 and failures[0].rule == "min_level"]
    return min(levels, default=None)
