"""What Arm's Vela prints and writes beside the compiled model, as data.

Source: Vela 5.2.0; the summary is a CSV of one row, memory in KiB there; reasons are printed as warnings.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

_REASON = re.compile(r"^Warning \(supported operators\) operator: (\S+), ofm: '(.*?)'\nReason: (.*)$", re.MULTILINE)
_KIB = 1024
_MEMORY = ("sram", "dram", "on_chip_flash", "off_chip_flash")


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why an operator stayed on the CPU; ``layer`` is the tensor that it makes."""

    operator: str
    layer: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """``memory_bytes`` by kind of memory, those that are used; ``cycles`` in all and by what takes them."""

    cycles: int
    cycles_by_part: Mapping[str, int]
    duration_s: float
    memory_bytes: Mapping[str, int]
    macs: int
    system: str
    mode: str
    clock_hz: float


def read_summary(text: str) -> Summary | None:
    """The figures of a summary file; None for a text that does not hold them."""
    rows = list(csv.DictReader(io.StringIO(text)))
    if len(rows) != 1:
        return None
    row = rows[0]
    try:
        used = {kind: round(float(row[f"{kind}_memory_used"]) * _KIB) for kind in _MEMORY}
        parts = {kind: int(float(row[f"cycles_{kind}"])) for kind in ("npu", *(f"{kind}_access" for kind in _MEMORY))}
        return Summary(
            cycles=int(float(row["cycles_total"])),
            cycles_by_part={kind: count for kind, count in parts.items() if count},
            duration_s=float(row["inference_time"]),
            memory_bytes={kind: size for kind, size in used.items() if size},
            macs=int(float(row["nn_macs"])),
            system=row["system_config"],
            mode=row["memory_mode"],
            clock_hz=float(row["core_clock"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def reasons(text: str) -> tuple[Reason, ...]:
    """Why operators stayed on the CPU, in the order printed, each once; the tensor by its first name."""
    found = (
        Reason(operator=operator, layer=ofm.split(";")[0], why=why.strip())
        for operator, ofm, why in _REASON.findall(text)
    )
    return tuple(dict.fromkeys(found))
