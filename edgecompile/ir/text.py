"""A network as text of 80 columns: what ``inspect`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgecompile.core.units import counted, format_size, group
from edgecompile.ir.compiled import Package
from edgecompile.ir.compiled_text import lines_of
from edgecompile.ir.describe import describe
from edgecompile.ir.model_metadata import told
from edgecompile.ir.network import Network
from edgecompile.ir.spelling import shorten

__all__ = ["describe", "text"]

WIDTH = 80
_HEADS = ("#", "operator", "output", "scale zero /n", "MACs", "weights")
_RIGHT = (True, False, False, False, True, True)
_FLEXIBLE = (1, 2, 3)
_LEGEND = "scale and zero point are the output's; /n: n scales of weights, by channel"


def text(network: Network, size_bytes: int | None = None, packages: Sequence[Package] = ()) -> str:
    """Header and operators of a network; arguments as of :func:`describe`."""
    facts = describe(network, size_bytes, packages)
    blocks = [_head(facts), _ports("Inputs", facts["inputs"]), _ports("Outputs", facts["outputs"])]
    blocks += [_signatures(facts["signatures"]), _metadata(facts), _totals(facts["totals"])]
    blocks += [lines_of(facts["compiled"])] if "compiled" in facts else []
    several = len(facts["subgraphs"]) > 1
    for number, subgraph in enumerate(facts["subgraphs"]):
        title = [f"Subgraph {number}  {shorten(subgraph['name'], WIDTH - 15)}".rstrip()] if several else []
        blocks.append([*title, *_operators(subgraph["operators"])])
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block)


def _head(facts: Mapping[str, Any]) -> list[str]:
    size = f", {format_size(facts['size_bytes'])}" if "size_bytes" in facts else ""
    described = f", {facts['description']}" if facts["description"] else ""
    return [shorten(f"TFLite model, schema {facts['schema_version']}{size}{described}", WIDTH)]


def _ports(title: str, tensors: Sequence[Mapping[str, Any]]) -> list[str]:
    if not tensors:
        return [f"{title}  none"]
    lines = [title]
    for tensor in tensors:
        kind, quantization = _kind(tensor), _quantization(tensor["quantization"], "scale {}, zero point {}")
        name = shorten(tensor["name"], max(12, WIDTH - 11 - len(kind) - len(quantization)))
        lines.append(f"  {tensor['index']:>3}  {name}  {kind}  {quantization}")
    return lines


def _signatures(signatures: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["Signatures"] if signatures else []
    for entry in signatures:
        where = f" of subgraph {entry['subgraph']}" if entry["subgraph"] else ""
        lines += _wrapped(f"  {entry['key']}{where}: ", [*entry["inputs"]], " -> ", [*entry["outputs"]])
    return lines


def _wrapped(first: str, inputs: Sequence[str], arrow: str, outputs: Sequence[str]) -> list[str]:
    line = f"{first}{', '.join(inputs)}{arrow}{', '.join(outputs)}"
    if len(line) <= WIDTH:
        return [line]
    return [
        shorten(first.rstrip(), WIDTH),
        *(f"    {shorten(name, WIDTH - 4)}" for name in inputs),
        *(f"    -> {shorten(name, WIDTH - 7)}" for name in outputs),
    ]


def _metadata(facts: Mapping[str, Any]) -> list[str]:
    entries, files = facts["metadata"], facts["files"]
    lines = ["Metadata"] if entries or files else []
    for entry in entries:
        name = shorten(entry["name"], WIDTH - 20)
        lines.append(shorten(f"  {name}  {entry.get('text') or format_size(entry['size_bytes'])}", WIDTH))
    lines += [shorten(f"  {line}", WIDTH) for line in told(facts["model_metadata"])]
    lines += [shorten(f"  file {entry['name']}, {format_size(entry['size_bytes'])}", WIDTH) for entry in files]
    return lines


def _totals(totals: Mapping[str, Any]) -> list[str]:
    left_out = f", without {_several(totals['uncounted'])} that cannot be counted" if totals["uncounted"] else ""
    rows = [
        ("Operators", group(totals["operators"])),
        ("MACs", group(totals["macs"]) + left_out),
        ("Weights", format_size(totals["weights_bytes"])),
        ("Activations", f"{format_size(totals['activation_bytes'])} in all, not at once"),
    ]
    if totals["options_bytes"]:
        rows.append(("Custom options", f"{format_size(totals['options_bytes'])}, what compiled operators bring along"))
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def _several(operators: int) -> str:
    return counted(operators, "operator")


def _operators(operators: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table; a cell too long for its column stands on a line of its own, nothing is cut but names."""
    rows = [row for operator in operators for row in _rows(operator)]
    if not rows:
        return ["no operators"]
    widths = _widths(rows)
    lines = [_line(_HEADS, widths)]
    for row in rows:
        lines += _lines(row, widths)
    quantized = any(row[3] for row in rows)
    return [*lines, _LEGEND] if quantized else lines


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Column widths that fit the page: where it is too narrow, the fewest cells do not fit their column."""
    cells = [sorted({len(row[i]) for row in rows} | {len(head)}) for i, head in enumerate(_HEADS)]
    widths = [lengths[-1] for lengths in cells]
    while sum(widths) + len(widths) - 1 > WIDTH:
        narrower = [i for i in _FLEXIBLE if widths[i] > len(_HEADS[i])]
        if not narrower:
            break
        column = min(narrower, key=lambda i: _cut(rows, i, widths[i]) / (widths[i] - _next(cells[i], widths[i])))
        widths[column] = max(len(_HEADS[column]), _next(cells[column], widths[column]))
    return widths


def _next(lengths: Sequence[int], width: int) -> int:
    """The next smaller length."""
    return max(length for length in lengths if length < width)


def _cut(rows: Sequence[Sequence[str]], column: int, width: int) -> int:
    """How many cells are as wide as that."""
    return sum(len(row[column]) == width for row in rows)


def _rows(operator: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    name = operator.get("custom_code") or operator["name"]
    version = f" v{operator['version']}" if operator["version"] > 1 else ""
    scales = f" /{operator['weight_scales']}" if operator["weight_scales"] > 1 else ""
    outputs = operator["outputs"] or [None]
    for position, output in enumerate(outputs):
        kind = _kind(output) if output else ""
        quantization = _quantization(output["quantization"] if output else None, "{} {}")
        if position:
            yield "", "", kind, quantization, "", ""
        else:
            yield (
                str(operator["index"]),
                f"{name}{version}",
                kind,
                (quantization + scales).strip(),
                _macs(operator),
                _bytes(operator),
            )


def _macs(operator: Mapping[str, Any]) -> str:
    return "?" if operator["macs"] is None else group(operator["macs"]) if operator["macs"] else ""


def _bytes(operator: Mapping[str, Any]) -> str:
    total = operator["weights_bytes"] + operator["options_bytes"]
    return format_size(total) if total else ""


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """One line, or more where cells are longer than their columns."""
    for column in range(len(row) - 1):
        if len(row[column]) > widths[column]:
            indent = sum(widths[:column]) + column
            first = _line([*row[:column], ""], widths) if any(row[:column]) else ""
            lead = f"{first:<{indent}}"[:indent] + shorten(row[column], WIDTH - indent)
            rest = ["" if i <= column else cell for i, cell in enumerate(row)]
            return [lead, *(_lines(rest, widths) if any(rest) else [])]
    return [_line(row, widths)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{c:>{w}}" if right else f"{c:<{w}}" for c, w, right in zip(cells, widths, _RIGHT, strict=False))
    return " ".join(padded)


def _kind(tensor: Mapping[str, Any]) -> str:
    sizes = ",".join("?" if size is None else str(size) for size in tensor["shape"])
    return f"{tensor['dtype']}[{sizes}]"


def _quantization(quantization: Mapping[str, Any] | None, form: str) -> str:
    if quantization is None:
        return ""
    scales, points = quantization["scales"], sorted(set(quantization["zero_points"]))
    scale = _number(scales[0]) if len(scales) == 1 else f"{len(scales)} scales"
    return form.format(scale, points[0] if len(points) == 1 else f"{points[0]}..{points[-1]}")


def _number(scale: float | str) -> str:
    return scale if isinstance(scale, str) else f"{scale:.4g}"
