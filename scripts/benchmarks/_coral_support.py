"""On how many public pairs each rule of the profile rests that no document states: what is wrong without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgecompile.core.target import Clause, Target
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.legalize.check import check

DOCUMENTED = "documented"


def support(pairs: list[dict[str, Any]], folder: Path, target: Target) -> list[tuple[str, ...]]:
    """One row a rule: operator, rule, basis, pairs whose operators on the CPU are wrong without it, and their families
    (networks of the same topology count once)."""
    networks = [read((folder / pair["file"]).read_bytes(), pair["file"]) for pair in pairs]
    whole = [_right(pair, network, target) for pair, network in zip(pairs, networks, strict=True)]
    rows: list[tuple[str, ...]] = [("operator", "rule", "known by", "pairs", "families")]
    for name, rule, basis, less in _without(target):
        changed = [
            pair["topology"]
            for pair, network, right in zip(pairs, networks, whole, strict=True)
            if right and not _right(pair, network, less)
        ]
        rows.append((name, rule, basis, str(len(changed)), str(len(set(changed)))))
    return rows


def _right(pair: dict[str, Any], network: Network, target: Target) -> bool:
    placed = check(network, target, pair["file"]).placements
    mine = {one.operator for one in placed if one.where != target.placement.accelerator}
    return mine == {operator["index"] for operator in pair["cpu_ops"]}


def _without(target: Target) -> Iterator[tuple[str, str, str, Target]]:
    """The target without each rule of a clause that is observed or fitted; without the operator where it has none."""
    general = set(target.operators["ADD"][0].rules)
    for name, clauses in target.operators.items():
        for number, clause in enumerate(clauses):
            if clause.basis == DOCUMENTED:
                continue
            own = [rule for rule in clause.rules if rule not in general]
            for rule in own:
                fewer = {key: limit for key, limit in clause.rules.items() if key != rule}
                yield name, f"{rule} {clause.rules[rule]}", clause.basis, _with(target, name, number, fewer)
            if not own:
                left = {key: value for key, value in target.operators.items() if key != name}
                yield name, "taken at all", clause.basis, replace(target, operators=left)


def _with(target: Target, name: str, number: int, rules: dict[str, Any]) -> Target:
    clauses: list[Clause] = list(target.operators[name])
    clauses[number] = replace(clauses[number], rules=rules)
    return replace(target, operators={**target.operators, name: tuple(clauses)})
