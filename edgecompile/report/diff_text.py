"""A difference as text of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.report import Measure
from edgecompile.core.units import format_size
from edgecompile.ir.spelling import shorten
from edgecompile.report import words
from edgecompile.report.diff import DENSE, Change, Difference, Figure, Sensitivity, placements
from edgecompile.report.table import WIDTH, number, wrap

_NAME, _VALUE, _CHANGE = 31, 13, 17
_LAYER = 37
_LABELS = {"weights_sha256": "values", "form": "stored as"}
OTHER_VALUES = "other ones"
# The least change that has a whole percent to tell.
_TOLD = 0.005


def text(difference: Difference) -> str:
    """What differs: facts, then all figures, then the operators that are not the same."""
    a, b = difference.a, difference.b
    head = [f"A  {a.name}", f"B  {b.name}"]
    blocks = [head, _facts(difference.facts), _figures(difference.figures)]
    blocks += [_methods(difference.figures)]
    blocks += [[f"Placed  A: {placements(a) or '-'}", f"        B: {placements(b) or '-'}"]] if placements(a) else []
    blocks += [_sensitivities(difference.sensitivities)]
    blocks += [_operators(difference.operators)]
    if difference.is_empty:
        blocks.append(["no difference in what was compared"])
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)


def _facts(facts: Sequence[tuple[str, str, str]]) -> list[str]:
    width = max((len(name) for name, _, _ in facts), default=0)
    return [
        line for name, a, b in facts for line in wrap(f"{a}  ->  {b}", " " * (width + 2), first=f"{name:<{width}}  ")
    ]


def _figures(figures: Sequence[Figure]) -> list[str]:
    lines = [f"{'':<{_NAME}}  {'A':>{_VALUE}}  {'B':>{_VALUE}}  {'B - A':>{_CHANGE}}"]
    for figure in figures:
        a, b = shown(figure, figure.a), shown(figure, figure.b)
        told = f"  {a:>{_VALUE}}  {b:>{_VALUE}}  {changed(figure):>{_CHANGE}}"
        lines += _labelled(words.name_of(figure.name), _NAME, told)
    return lines if figures else []


def _labelled(label: str, width: int, told: str) -> list[str]:
    """A row of a table; a label without room stands above it, whole but for what no line holds."""
    return [f"{label:<{width}}{told}"] if len(label) < width else [shorten(label, WIDTH), " " * width + told]


def _methods(figures: Sequence[Figure]) -> list[str]:
    """In which ways figures were obtained, and which: in a word, for a table of both has no room for more."""
    by_way: dict[str, list[str]] = {}
    for figure in figures:
        by_way.setdefault(obtained(figure), []).append(words.name_of(figure.name))
    return [
        line for way, names in by_way.items() if way for line in wrap(f"{way}: {'; '.join(names)}", "    ", first="")
    ]


def obtained(figure: Figure) -> str:
    """``counted``, or ``A measured, B predicted``; empty where it is not known."""
    a, b = (words.tag_of(method) for method in (figure.method_a, figure.method_b))
    if not a or not b or a == b:
        return a or b
    return f"A {a}, B {b}"


def shown(figure: Figure, value: float | int | None) -> str:
    """One side's value with its unit; a dash where there is none."""
    if value is None:
        return "-"
    return words.value(Measure(name=figure.name, value=value, unit=figure.unit, method=""))


def changed(figure: Figure) -> str:
    """By how much B is more, with a sign; empty where nothing changed or a side lacks it."""
    change = figure.change
    if not change:
        return ""
    sign = "+" if change > 0 else "-"
    if figure.unit == "ratio" or figure.unit in words.SHARES:
        return f"{sign}{100 * abs(change):.1f} points"
    share = f" {100 * change / figure.a:+.0f} %" if figure.a and abs(change / figure.a) >= _TOLD else ""
    return f"{sign}{shown(figure, abs(change))}" + (share if abs(change) < abs(figure.a or 0) * 100 else "")


def _sensitivities(measured: Sequence[Sensitivity]) -> list[str]:
    """What each operator alone, in integers, moves the outputs by, and takes from the score."""
    if not measured:
        return []
    lines = [f"{'Alone in integers':<{_LAYER}}{'A: outputs':>11}{'drop':>10}{'B: outputs':>12}{'drop':>10}"]
    for one in measured:
        told = f"{cost(one.a, 'output error'):>11}{cost(one.a, 'drop'):>10}"
        told += f"{cost(one.b, 'output error'):>12}{cost(one.b, 'drop'):>10}"
        lines += _labelled(f"{one.operator} {one.layer}", _LAYER, told)
    return lines


def cost(row: Mapping[str, Any] | None, key: str) -> str:
    """One side's figure; a dash where it was not measured."""
    return "-" if row is None else str(row.get(key, "-"))


def _operators(changes: Sequence[Change]) -> list[str]:
    differing = [change for change in changes if change.differs]
    same = len(changes) - len(differing)
    if not changes:
        return []
    lines = [f"Operators: {same} the same, {len(differing)} not"]
    for change in differing:
        sign = "+" if change.a is None else "-" if change.b is None else "~"
        row = change.b if change.a is None else change.a
        lines.append(shorten(f"{sign} {place(row)}", WIDTH))
        if change.a is not None and change.b is not None:
            for key in change.differs:
                lines += wrap(
                    _told(change, key), " " * 22, first=f"    {_LABELS.get(key, key.replace('_', ' ')):<16}  "
                )
        elif row is not None:
            lines.append(
                f"    {_word('weights_bytes', row.get('weights_bytes'))} of weights, {number(row.get('macs'))} MACs"
            )
    return lines


def _told(change: Change, key: str) -> str:
    if key == "weights_sha256":
        return OTHER_VALUES
    a, b = (side or {} for side in (change.a, change.b))
    return f"{_word(key, a.get(key))} -> {_word(key, b.get(key))}"


def place(row: Mapping[str, Any] | None) -> str:
    """``3 CONV_2D conv_2``: an operator by its number, kind and layer."""
    return "" if row is None else f"{row['index']} {row['operator']} {row.get('layer', '')}".rstrip()


def _word(key: str, value: Any) -> str:
    if key == "form":
        return str(value or DENSE)
    return format_size(value) if key.endswith("_bytes") and isinstance(value, int) else number(value)
