"""Instructions of each operator: from an image that calls a mark behind each operator's results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.ir.network import Subgraph
from edgecompile.measure.board import qemu

Array = np.ndarray[Any, Any]
IMAGE = "profile"
# Calling the mark takes about five instructions, which count with the operator.
METHOD = "by operator, with about five for a mark behind each"


def by_operator(machine: str, image: Path, raw: Sequence[Array], clock_hz: int, graph: Subgraph) -> dict[int, int]:
    """Of the first sample; empty where QEMU has no plugins, for then it tells of whole runs only.

    An operator with nothing to do has no mark and is left out.
    """
    ran = qemu.run(machine, image, [array[:1] for array in raw], clock_hz)
    made = [
        index
        for index, operator in enumerate(graph.operators)
        for tensor in operator.outputs
        if graph.tensors[tensor].size_bytes
    ]
    if len(ran.laps) < len(made):
        return {}
    counts: dict[int, int] = {}
    for index, lap in zip(made, ran.laps, strict=False):
        counts[index] = counts.get(index, 0) + lap
    return counts
