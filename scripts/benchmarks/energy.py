"""Power of boards while they compute, from measured energies and latencies, each submission predicted from the others.

Rows are the closed division of MLPerf Tiny (`ground_truth/mlperf_tiny_results.json`) for boards that have a profile.
A board's power is the median of energy over latency; the energy of a row is predicted as its own latency by the median
of the rows of other submissions (submitter and round). What profiles state in [board.energy] must be what comes out.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from statistics import mean, median

from _shared import data_folder, table
from cortexm_latency import BOARDS

from edgecompile.config.profiles import load
from edgecompile.measure.board.energy import power_of

# Two submissions at the least: one cannot be predicted from another.
_LEAST = 2
_UNITS = {"uJ/inf.": 1.0, "mJ/inf.": 1e3}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured inference: its power in mW is microjoules over milliseconds."""

    submission: str
    power_mw: float


def main() -> int:
    """Print power and errors of each board; exit 1 where a profile states another."""
    lines = [("board", "rows", "submissions", "mW", "lowest", "highest", "error", "worst", "profile")]
    wrong = []
    for target, names in BOARDS.items():
        rows = _rows(names)
        if len({row.submission for row in rows}) < _LEAST:
            continue
        powers, errors = [row.power_mw for row in rows], _errors(rows)
        stated = power_of(load(target).board)
        holds = stated is not None and (stated.active_mw, stated.error_ratio) == (
            round(median(powers), 1),
            round(mean(errors), 2),
        )
        wrong += [] if holds else [target]
        figures = (f"{value:.1f}" for value in (median(powers), min(powers), max(powers)))
        shares = (f"{100 * value:.0f} %" for value in (mean(errors), max(errors)))
        count = len({row.submission for row in rows})
        told = f"{stated.active_mw:g} mW" if stated else "none"
        lines.append((target, str(len(rows)), str(count), *figures, *shares, told))
    print(table(lines))
    if wrong:
        print(f"other figures stand in the profiles of: {', '.join(wrong)}")
    return 1 if wrong else 0


def _rows(names: tuple[str, ...]) -> list[Row]:
    results = json.loads((data_folder() / "ground_truth" / "mlperf_tiny_results.json").read_text())
    known = [one for one in results if one.get("energy") and one.get("latency_ms") and one["division"] == "closed"]
    return [
        Row(submission=f"{one['submitter']} {one['round']}", power_mw=_microjoules(one["energy"]) / one["latency_ms"])
        for one in known
        if (one.get("board") or "").upper() in names
    ]


def _microjoules(text: str) -> float:
    value, unit = re.split(r"\s+", text.strip(), maxsplit=1)
    return float(value) * _UNITS[unit]


def _errors(rows: list[Row]) -> list[float]:
    found = []
    for row in rows:
        others = [one.power_mw for one in rows if one.submission != row.submission]
        found.append(abs(median(others) / row.power_mw - 1))
    return found


if __name__ == "__main__":
    sys.exit(main())
