"""Which rows of a table of measured kernels stand for a call: the most exact first, the kernel as a whole last."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from edgecompile.ir.network import Subgraph
from edgecompile.kernels.routine import Call

# Kernels of one type of number say it in their names; the code and the work of the others depend on it.
_OF_ONE_TYPE = re.compile(r"_(s8|s16|f32)$")
# What the code of a kernel is made for: the form of its weights; by which line, if any, sums become outputs (lines.h).
_DECISIVE = ("form", "line_shift")


def rows_of(graph: Subgraph, call: Call) -> tuple[str, ...]:
    """``convolve/int16, convolve`` for a type; ``conv_2d_forms_s8/3/12``, ``.../3`` and the kernel: form and line."""
    words = (call.kernel, *_qualities(graph, call))
    return tuple("/".join(words[:count]) for count in range(len(words), 0, -1))


def row_in(table: Container[str], rows: tuple[str, ...]) -> str | None:
    """The most exact row that the table has; None: it has none of them."""
    return next((row for row in rows if row in table), None)


def _qualities(graph: Subgraph, call: Call) -> Iterator[str]:
    if call.inputs and not _OF_ONE_TYPE.search(call.kernel):
        yield graph.tensors[call.inputs[0]].dtype
    yield from (str(call.settings[name]) for name in _DECISIVE if name in call.settings)
