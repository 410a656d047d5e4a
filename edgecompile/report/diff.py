"""Two builds, or two .tflite files, side by side: figures, operators and what differs in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from typing import Any

from edgecompile.core.report import Measure, Report
from edgecompile.core.units import group
from edgecompile.ir.costs import cost_of, totals
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network, Operator, Subgraph
from edgecompile.ir.same_values import digest_of
from edgecompile.ir.spelling import printable

Row = Mapping[str, Any]
# What of two operators that stand for each other may differ.
COMPARED = (
    "operator", "where", "type", "macs", "weights_bytes", "weights_sha256", "form", "output_bytes", "instructions",
)  # fmt: skip
DENSE = "dense"
_COUNTED = "counted in the file"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two: what it is called, what is known about it, and its operators as reports have them."""

    name: str
    facts: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    operators: tuple[Row, ...] = ()
    sensitivity: tuple[Row, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What an operator alone, in integers, costs on either side, as reports have it: None where it was not measured."""

    layer: str
    operator: str
    a: Row | None
    b: Row | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """An operator of one side and the one that stands for it on the other; None where there is none."""

    a: Row | None
    b: Row | None

    @property
    def differs(self) -> tuple[str, ...]:
        """The properties of ``COMPARED`` that are not the same."""
        a, b = self.a or {}, self.b or {}
        return tuple(key for key in COMPARED if a.get(key) != b.get(key) and not self._untold(key))

    def _untold(self, key: str) -> bool:
        """Reports of earlier versions do not tell whether the values of weights are the same."""
        sides = (self.a, self.b)
        return key == "weights_sha256" and any(side is not None and key not in side for side in sides)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of both sides, in the same unit, and how each was obtained; None where a side lacks it."""

    name: str
    unit: str
    a: float | int | None
    b: float | int | None
    method_a: str = ""
    method_b: str = ""

    @property
    def change(self) -> float | int | None:
        """B less A."""
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All of it; ``is_empty`` where nothing that was compared differs."""

    a: Side
    b: Side
    facts: tuple[tuple[str, str, str], ...]
    figures: tuple[Figure, ...]
    operators: tuple[Change, ...]
    sensitivities: tuple[Sensitivity, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both sides are the same in everything compared."""
        differing = any(figure.a != figure.b for figure in self.figures)
        moved = any(one.a != one.b for one in self.sensitivities)
        return not (self.facts or differing or moved or any(change.differs for change in self.operators))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema": 1,
            "a": self.a.name,
            "b": self.b.name,
            "same": self.is_empty,
            "facts": [{"name": name, "a": a, "b": b} for name, a, b in self.facts],
            "measures": [{**asdict(figure), "change": figure.change} for figure in self.figures],
            "operators": [
                {"a": _plain(change.a), "b": _plain(change.b), "differs": list(change.differs)}
                for change in self.operators
            ],
            "sensitivity": [
                {"layer": one.layer, "operator": one.operator, "a": _plain(one.a), "b": _plain(one.b)}
                for one in self.sensitivities
            ],
        }


def compare(a: Side, b: Side) -> Difference:
    """Figures by name, operators by layer and kind in their order; facts only where they differ."""
    names = dict.fromkeys((*a.facts, *b.facts))
    facts = [(name, a.facts.get(name, "-"), b.facts.get(name, "-")) for name in names]
    return Difference(
        a=a,
        b=b,
        facts=tuple(fact for fact in facts if fact[1] != fact[2]),
        figures=tuple(_figures(a.measures, b.measures)),
        operators=tuple(_paired(a.operators, b.operators)),
        sensitivities=tuple(_sensitivities(a.sensitivity, b.sensitivity)),
    )


def side_of_report(name: str, report: Report) -> Side:
    """A build as its report tells it."""
    recipe = report.recipe
    steps = " -> ".join(str(step.get("pass", "")) for step in recipe.get("steps", ()))
    facts = {
        "target": report.target,
        "status": report.status,
        "model": report.model_sha256[:12],
        "recipe": str(recipe.get("name", "none")),
        "steps": steps or "-",
        "numerics": str(recipe.get("numerics", "-")),
        **{
            f"{name} version" if version[:1].isdigit() and " " not in version else name: version
            for name, version in report.versions.items()
        },
    }
    rows = tuple(_with_forms(report.details))
    measured = tuple(report.details.get("sensitivity") or ())
    return Side(name=name, facts=facts, measures=report.measures, operators=rows, sensitivity=measured)


def _with_forms(details: Mapping[str, Any]) -> Iterator[Row]:
    """Operators with the form in which a C library stores their weights; dense where nothing is told of it."""
    stored = {row["#"]: row for row in details.get("weights of the C library") or () if "#" in row}
    for row in details.get("operators") or ():
        one = stored.get(row["index"], {}) if row.get("subgraph") == 0 else {}
        is_short = one.get("form", DENSE) != DENSE
        yield {**row, "form": f"{one['form']}, {group(one['bytes'])} B"} if is_short else row


def side_of_network(name: str, network: Network, size_bytes: int, measures: Sequence[Measure] = ()) -> Side:
    """A .tflite file; ``measures`` are added to what is counted in it."""
    total = totals(network)
    counted = (("model_bytes", size_bytes, "bytes"), ("weights_bytes", total.weights_bytes, "bytes"))
    counted = (*counted, ("macs", total.macs, "count"), ("operators", total.operators, "count"))  # type: ignore[assignment]
    found = [Measure(name=key, value=value, unit=unit, method=_COUNTED) for key, value, unit in counted]
    rows = [
        _row(number, index, subgraph, operator)
        for number, subgraph in enumerate(network.subgraphs)
        for index, operator in enumerate(subgraph.operators)
    ]
    return Side(name=name, measures=(*found, *measures), operators=tuple(rows))


def _row(number: int, index: int, subgraph: Subgraph, operator: Operator) -> Row:
    cost, outputs = cost_of(subgraph, operator), subgraph.outputs_of(operator)
    return {
        "index": index,
        "subgraph": number,
        "operator": printable(operator.label),
        "layer": printable(short_name(outputs[0].name)) if outputs else "",
        "type": f"{outputs[0].dtype}{list(outputs[0].shape)}" if outputs else "",
        "macs": cost.macs,
        "weights_bytes": cost.weights_bytes + cost.options_bytes,
        "weights_sha256": digest_of(subgraph, operator),
        "output_bytes": cost.activation_bytes,
    }


def _figures(a: Sequence[Measure], b: Sequence[Measure]) -> Iterator[Figure]:
    both = ({measure.name: measure for measure in side} for side in (a, b))
    ours, theirs = both
    for name in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(name), theirs.get(name)
        unit = (one or other).unit  # type: ignore[union-attr]
        yield Figure(
            name=name,
            unit=unit,
            a=one.value if one else None,
            b=other.value if other else None,
            method_a=one.method if one else "",
            method_b=other.method if other else "",
        )


def _sensitivities(a: Sequence[Row], b: Sequence[Row]) -> Iterator[Sensitivity]:
    """By layer and kind, in the order of A, the most sensitive first; what only B measured comes last."""
    ours, theirs = ({(str(row["layer"]), str(row["operator"])): row for row in side} for side in (a, b))
    for key in dict.fromkeys((*ours, *theirs)):
        yield Sensitivity(layer=key[0], operator=key[1], a=_costs(ours.get(key)), b=_costs(theirs.get(key)))


def _costs(row: Row | None) -> Row | None:
    return None if row is None else {key: str(row[key]) for key in ("output error", "drop") if key in row}


def _paired(a: Sequence[Row], b: Sequence[Row]) -> Iterator[Change]:
    """Operators of equal layer and kind stand for each other; between them, of equal kind or layer."""
    matcher = SequenceMatcher(None, _keys(a), _keys(b), autojunk=False)
    for tag, low, high, start, end in matcher.get_opcodes():
        if tag == "equal":
            yield from (Change(a=one, b=other) for one, other in zip(a[low:high], b[start:end], strict=True))
        else:
            yield from _loosely(a[low:high], b[start:end])


def _keys(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(str(row.get("layer")), str(row["operator"])) for row in rows]


def _loosely(a: Sequence[Row], b: Sequence[Row]) -> Iterator[Change]:
    left = list(b)
    for one in a:
        at = next((i for i, other in enumerate(left) if _alike(one, other)), None)
        if at is None:
            yield Change(a=one, b=None)
            continue
        yield from (Change(a=None, b=other) for other in left[:at])
        yield Change(a=one, b=left[at])
        del left[: at + 1]
    yield from (Change(a=None, b=other) for other in left)


def _alike(one: Row, other: Row) -> bool:
    return one["operator"] == other["operator"] or one.get("layer") == other.get("layer")


def _plain(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else dict(row)


def placements(side: Side) -> str:
    """``7 on mcu``, ``5 on edgetpu, 2 on cpu``; empty where it is not known."""
    counts = Counter(str(row["where"]) for row in side.operators if row.get("where"))
    return ", ".join(f"{count} on {where}" for where, count in counts.items())
