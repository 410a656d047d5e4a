"""The tables of a report's page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.report import Report
from edgecompile.core.units import format_size
from edgecompile.ir.layer_names import short_name
from edgecompile.report import words
from edgecompile.report.html_elements import Markup, element, pairs, prose, table, together
from edgecompile.report.table import number

# ``31.3 KiB``, ``2 560``, ``9 of 12``, ``-0.5 %``; no hash, although one may open with a digit or be of digits alone.
_NUMBER = re.compile(r"[+-]?\d[\d ]{0,15}(?:\.\d{1,8})?(?:e[+-]?\d{1,3})?(?: ?%| [^\d\s]\S{0,11}(?: \d[\d ]{0,11})?)?")

# A column that names operators, not one to compare.
_NAMED_BY_NUMBER = "#"


def operators(rows: Sequence[Mapping[str, Any]], timed: Sequence[Mapping[str, Any]] = ()) -> Markup | None:
    """Where each operator runs and what it takes; a refused one with its reason.

    ``timed``: instructions by the operator's number, where they were counted apart.
    """
    if not rows:
        return None
    counted = {row["#"]: row["instructions"] for row in timed if "#" in row and "instructions" in row}
    rows = [{"instructions": counted.get(row["index"]), **row} for row in rows]
    heads = ("#", "operator", "layer", "output", "runs on", "MACs", "weights", "output bytes", "instructions")
    return table(heads, map(_operator, rows), numbers=(5, 6, 7, 8))


def _operator(row: Mapping[str, Any]) -> list[object]:
    where: list[object] = [row["where"]]
    if row.get("reason"):
        where.append(element("span", row["reason"], class_="soft warn"))
    place = f"{row['subgraph']}.{row['index']}" if row.get("subgraph") else row["index"]
    macs = "?" if row["macs"] is None else number(row["macs"]) if row["macs"] else ""
    return [
        place,
        row["operator"],
        row["layer"],
        element("code", row["type"]),
        together(where),
        macs,
        _size(row["weights_bytes"]),
        _size(row["output_bytes"]),
        number(row["instructions"]) if row.get("instructions") else "",
    ]


def _size(size_bytes: int) -> object:
    return element("data", format_size(size_bytes), value=str(size_bytes)) if size_bytes else ""


def compression(details: Mapping[str, Any]) -> Markup | None:
    """A line for each step of the recipe: what it cost and what it bought."""
    rows = details.get("compression") or ()
    return records(rows) if rows else None


def records(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """A table of records, a column for each key; columns of numbers to the right."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    numeric = (all(_is_numeric(row.get(column)) for row in rows) for column in columns)
    numbers = [i for i, is_number in enumerate(numeric) if is_number and columns[i] != _NAMED_BY_NUMBER]
    lines = [[_named(column, row.get(column)) for column in columns] for row in rows]
    return table([column.replace("_", " ") for column in columns], lines, numbers)


def any_detail(value: Any) -> Markup | None:
    """Lines as they were drawn, records as a table, names and values as another; None for nothing."""
    if value is None or value == "" or (isinstance(value, Mapping | list | tuple) and not value):
        return None
    if isinstance(value, Mapping):
        return pairs((str(key).replace("_", " "), _entry(entry)) for key, entry in value.items() if _is_told(entry))
    if isinstance(value, list | tuple) and all(isinstance(entry, Mapping) for entry in value):
        return records(value)
    if isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value):
        picture = any("  " in entry.strip() or entry.startswith(" ") for entry in value)
        return element("pre", "\n".join(value)) if picture else element("ul", *(element("li", one) for one in value))
    return element("p", number(value))


def _is_told(value: Any) -> bool:
    """Not empty; a count of 0 and a no are told."""
    return value is not None and value != "" and value != {} and value != () and value != []


def _entry(value: Any) -> object:
    """A value in one line; records with names in a line each."""
    if isinstance(value, Mapping) and value and all(isinstance(one, Mapping) for one in value.values()):
        named = ((str(name).replace("_", " "), number(one)) for name, one in value.items())
        return together(element("div", element("strong", name), f": {told}") for name, told in named)
    return _value(value)


def _value(value: Any) -> str:
    return "" if value is None or value == "" else number(value)


def _named(column: str, value: Any) -> object:
    """A layer by the end of its name, as everywhere on the page; the whole name where somebody points at it."""
    if column == "layer" and isinstance(value, str) and value:
        return element("span", short_name(value), title=value)
    return _value(value)


def _is_numeric(value: Any) -> bool:
    """A number, or one with its unit, as tables that were made for reading hold."""
    if isinstance(value, bool):
        return False
    return (
        isinstance(value, int | float)
        or value in (None, "-")
        or (isinstance(value, str) and _NUMBER.fullmatch(value) is not None)
    )


def files(report: Report) -> Markup | None:
    """What was written, with its hash."""
    rows = [
        [a.path, a.kind, _size(a.size_bytes), element("code", a.sha256[:16], title=a.sha256)] for a in report.artifacts
    ]
    return table(("file", "kind", "size", "SHA-256"), rows, numbers=(2,)) if rows else None


def methods(report: Report) -> Markup | None:
    """Each figure with the way it was obtained."""
    rows = [[element("span", words.label(m), class_="whole"), words.value(m), prose(m.method)] for m in report.measures]
    return table(("figure", "value", "how"), rows, numbers=(1,), texts=(2,)) if rows else None


def origin(report: Report) -> Markup:
    """Model, recipe, versions, and what each stage did; how long it took differs every time and is in the JSON only."""
    steps = [_step(step) for step in report.recipe.get("steps", ())]
    facts: list[tuple[str, object]] = []
    if report.model_sha256:
        facts.append(("model SHA-256", element("code", report.model_sha256)))
    if report.recipe:
        facts.append(("recipe", words.recipe(report.recipe)))
    facts += [("steps", element("ol", *(element("li", step) for step in steps)))] if steps else []
    facts += [("seed", number(report.recipe["seed"]))] if report.recipe.get("seed") is not None else []
    facts += [(name, version) for name, version in report.versions.items()]
    stages = [[element("span", stage.name, class_="whole"), stage.summary] for stage in report.stages]
    return together([pairs(facts), table(("stage", "what it did"), stages, texts=(1,)) if stages else None])


def _step(step: Mapping[str, Any]) -> str:
    options = ", ".join(f"{key} {number(value)}" for key, value in step.items() if key != "pass")
    return f"{step.get('pass', '')} ({options})" if options else str(step.get("pass", ""))
