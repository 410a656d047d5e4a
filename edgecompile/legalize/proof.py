"""A profile's verdict beside a real delegate's: where they differ, the profile's rules are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.target import Clause, Target
from edgecompile.ir.network import Network
from edgecompile.legalize.check import Verdict, check
from edgecompile.legalize.diagnose import CUT_OFF
from edgecompile.legalize.naming import ranges


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Operators of the first subgraph: those that the profile takes and the delegate does not, and the reverse.

    ``partitions`` are the profile's and the delegate's, the latter None where it was not asked.
    """

    only_profile: tuple[int, ...]
    only_delegate: tuple[int, ...]
    partitions: tuple[int, int | None]

    @property
    def agrees(self) -> bool:
        """The same operators, in as many pieces."""
        mine, real = self.partitions
        return not self.only_profile and not self.only_delegate and (real is None or mine == real)


def compare(network: Network, target: Target, taken: Iterable[int], partitions: int | None) -> Comparison:
    """``taken`` and ``partitions`` are the delegate's answer; the rules that it does not test are left out here."""
    verdict = check(network, tested_part(target), "")
    mine, real = accepted(verdict, target), set(taken)
    return Comparison(
        only_profile=tuple(sorted(mine - real)),
        only_delegate=tuple(sorted(real - mine)),
        partitions=(verdict.partitions, partitions),
    )


def accepted(verdict: Verdict, target: Target) -> set[int]:
    """Operators of the first subgraph that the accelerator takes, those outside of the partitions kept included."""
    first = [placed for placed in verdict.placements if placed.subgraph == 0]
    return {p.operator for p in first if p.where == target.placement.accelerator or p.reason == CUT_OFF}


def tested_part(target: Target) -> Target:
    """The target with those rules only that its delegate, asked on this machine, tests."""
    left_out = target.placement.proof_without
    if not left_out:
        return target
    operators = {
        name: tuple(_without(clause, left_out) for clause in found) for name, found in target.operators.items()
    }
    return replace(target, operators=operators)


def differs(compared: Comparison, network: Network, target: Target, asked: str, model_name: str) -> Diagnostic:
    """EC755: the profile and the real delegate do not agree."""
    names = network.main.operators

    def listed(indices: tuple[int, ...]) -> str:
        return f"{ranges(list(indices))} ({', '.join(dict.fromkeys(names[i].label for i in indices))})"

    notes = [f"asked: {asked}"]
    notes += [f"the profile takes and it does not: {listed(compared.only_profile)}"] if compared.only_profile else []
    notes += [f"it takes and the profile does not: {listed(compared.only_delegate)}"] if compared.only_delegate else []
    mine, real = compared.partitions
    notes += [f"partitions: {mine} by the profile, {real} by it"] if real is not None and mine != real else []
    return Diagnostic(
        code="EC755",
        severity=Severity.WARNING,
        message=f"the real delegate does not agree with what `{target.id}` says of this model",
        location=Location(file=model_name),
        notes=tuple(notes),
        help=(
            "trust the delegate, where it is of the version that your app ships",
            "tell us the operator and its settings (`edgecompile inspect`), so that the profile can be corrected",
        ),
    )


def _without(clause: Clause, left_out: tuple[str, ...]) -> Clause:
    return replace(clause, rules={name: limit for name, limit in clause.rules.items() if name not in left_out})
