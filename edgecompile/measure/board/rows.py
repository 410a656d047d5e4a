"""Which rows of a table of measured kernels stand for a call: the most exact first, the kernel as a whole last."""

from __future__ import annotations

import re
from collections.abc import Container

from edgecompile.ir.network import Subgraph
from edgecompile.kernels.routine import Call

# Kernels of one type of number say it in their names; the code and the work of the others depend on it.
_OF_ONE_TYPE = re.compile(r"_(s8|s16|f32)$")


def rows_of(graph: Subgraph, call: Call) -> tuple[str, ...]:
    """``conv_2d_forms_s8/3, conv_2d_forms_s8`` for weights in a form, ``convolve/int16, convolve`` for a type."""
    form = call.settings.get("form")
    if form is not None:
        return f"{call.kernel}/{form}", call.kernel
    if call.inputs and not _OF_ONE_TYPE.search(call.kernel):
        return f"{call.kernel}/{graph.tensors[call.inputs[0]].dtype}", call.kernel
    return (call.kernel,)


def row_in(table: Container[str], rows: tuple[str, ...]) -> str | None:
    """The most exact row that the table has; None: it has none of them."""
    return next((row for row in rows if row in table), None)
