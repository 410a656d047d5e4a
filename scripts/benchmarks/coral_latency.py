"""The Edge TPU's time model: leave-one-out errors over measured and published networks, errors as users get them."""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from _coral_detectors import splits
from _coral_rows import Row, measured, published, tables
from _shared import data_folder, table

from edgecompile.config.profiles import load
from edgecompile.measure.edgetpu.device import Device, Link, device_of

LIMIT = 0.10
# Tried from the profile's constants by Gauss-Newton on the logarithm of the time; outliers count less.
STEPS, DAMPING, OUTLIER = 8, 1e-2, 0.14
# A measured host that the profile's constants are not of.
ELSEWHERE = "d"


def main(facts: Mapping[str, Any] | None = None) -> int:
    """Print errors; exit 1 where the mean left-out one is above the limit, or the profile states less than there is."""
    if facts is None:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--facts", type=Path, help="coral_latency.json  [default: the one beside the data folder]")
        asked = parser.parse_args().facts or data_folder().parent / "facts" / "coral_latency.json"
        facts = json.loads(asked.read_text(encoding="utf-8"))
    device = device_of(load("coral").measure)
    own, shown = measured(facts, device), published(facts, device)
    rows = [*own, *shown]
    start = _start(rows, device)
    whole = _fit(rows, start, device)
    left_out = [
        _off(row, _predict(row, _fit(rows[:i] + rows[i + 1 :], whole, device, steps=3), device))
        for i, row in enumerate(rows)
    ]
    fixed = [_off(row, _predict(row, start, device)) for row in rows]
    print(table([("rows", "number", "left out", "with the profile's constants"), *_groups(rows, left_out, fixed)]))
    print("\n" + table([("constant", "fitted"), *((name, f"{value:.4g}") for name, value in whole.items())]))
    print(
        "\npublished models whose networks are rebuilt; they are in no fit of the profile's constants but operator_s:"
    )
    print(table([("model", "link", "published ms", "predicted ms", "error"), *_rows(shown, start, device)]))
    print("\nthe rest of the published rows, whose networks are not rebuilt:")
    print(table([("model", "link", "published ms", "estimated ms", "error", "by"), *_rest(facts, shown, device)]))
    wrong = _stated(own, shown, start, device)
    wrong |= _on_cpu(facts, device)
    return 1 if np.mean([abs(error) for error in left_out]) > LIMIT or wrong else 0


def _off(row: Row, ms: float) -> float:
    return ms / row.ms - 1


def _mean(errors: Iterable[float]) -> float:
    return 100 * float(np.mean([abs(error) for error in errors]))


def _groups(rows: list[Row], left_out: list[float], fixed: list[float]) -> list[tuple[str, ...]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[row.group].append(index)
        groups["all"].append(index)
    order = [*(name for name in groups if name != "all"), "all"]
    return [
        (
            name,
            str(len(groups[name])),
            *(f"{_mean(errors[i] for i in groups[name]):.1f} %" for errors in (left_out, fixed)),
        )
        for name in order
    ]


def _rows(rows: list[Row], constants: dict[str, float], device: Device) -> list[tuple[str, ...]]:
    found = [(row, _predict(row, constants, device)) for row in rows]
    return [(row.name, row.link, f"{row.ms:g}", f"{ms:.2f}", f"{100 * _off(row, ms):+.0f} %") for row, ms in found]


def _rest(facts: Mapping[str, Any], shown: list[Row], device: Device) -> list[tuple[str, ...]]:
    """Those of which multiplications and parameters are known by these, others by none."""
    speed = float(np.median([_macs(facts, row.name) / row.compute_s.sum()
                             for row in shown if _macs(facts, row.name)]))  # fmt: skip
    known = {*(row.name for row in shown), *(row.name for row in splits(facts, device))}
    lines, errors = [], []
    for name, link, ms in tables(facts):
        if name in known:
            continue
        found, by = _estimate(facts, name, device, device.links[link], speed)
        error = "" if found is None else f"{100 * (found / ms - 1):+.0f} %"
        errors += [] if found is None else [found / ms - 1]
        lines.append((name, link, f"{ms:g}", "" if found is None else f"{found:.2f}", error, by))
    return [
        *lines,
        (f"mean of {len(errors)} rows", "", "", "", f"{_mean(errors):.0f} %", ""),
    ]


def _estimate(
    facts: Mapping[str, Any], name: str, device: Device, link: Link, speed: float
) -> tuple[float | None, str]:
    row = next((r for r in facts["benchmarks"]["rows"] if f"{r['model']}, {r['input']}" == name), {})
    if not row.get("macs_G"):
        return None, "nothing: neither network nor figures"
    streamed = max(0.0, row["params_M"] * 1e6 - device.memory.cache_bytes)
    seconds = link.round_trip_s + row["macs_G"] * 1e9 / speed + streamed / link.stream_bytes_per_s
    return 1e3 * seconds, "multiplications and parameters"


def _macs(facts: Mapping[str, Any], name: str) -> float:
    rows = (r for r in facts["benchmarks"]["rows"] if f"{r['model']}, {r['input']}" == name)
    return 1e9 * float(next(rows, {}).get("macs_G") or 0)


def _on_cpu(facts: Mapping[str, Any], device: Device) -> bool:
    """Print the published models with a part on the CPU; True where the profile states less than they are off."""
    found, wrong = splits(facts, device), False
    lines: list[tuple[str, ...]] = [("model", "link", "on the CPU", "published ms", "predicted ms", "error")]
    lines += [
        (row.name, row.link, str(row.on_cpu), f"{row.ms:g}", f"{row.predicted_ms:.2f}",
         f"{100 * (row.predicted_ms / row.ms - 1):+.0f} %")
        for row in found
    ]  # fmt: skip
    print("\npublished models with a part on the CPU; its two constants are fitted to them:")
    print(table(lines))
    for name, link in device.links.items():
        errors = [row.predicted_ms / row.ms - 1 for row in found if row.link == name]
        if errors and link.host_error is not None:
            print(f"{name}: mean error {_mean(errors):.1f} %, stated {100 * link.host_error:.0f} %")
            wrong |= _mean(errors) > 100 * link.host_error + 1
    return wrong


def _stated(own: list[Row], shown: list[Row], start: dict[str, float], device: Device) -> bool:
    """Print what the profile tells users beside what is; True where it tells less by more than a point."""
    lines: list[tuple[str, ...]] = [("link", "measured hosts", "stated", "other hosts", "stated")]
    wrong = False
    near, far = [row for row in own if row.host != ELSEWHERE], [*shown, *(row for row in own if row.host == ELSEWHERE)]
    for name, link in device.links.items():
        cells: list[str] = []
        for rows, stated in ((near, link.error), (far, link.error_elsewhere)):
            errors = [_off(row, _predict(row, start, device)) for row in rows if row.link == name]
            wrong |= bool(errors) and _mean(errors) > 100 * stated + 1
            cells += [f"{_mean(errors):.1f} %" if errors else "none", f"{100 * stated:.0f} %"]
        lines.append((name, *cells))
    print("\nmean errors with the profile's constants, as users get them, and what the profile states:")
    print(table(lines))
    return wrong


def _start(rows: list[Row], device: Device) -> dict[str, float]:
    """The profile's constants: the array's speed, the rest by host."""
    found = {"clock_hz": device.compute.clock_hz}
    for host, link in sorted({(row.host, row.link) for row in rows}):
        of = device.links[link]
        found[f"stream {host}"] = of.stream_bytes_per_s
        found |= {f"round trip {host}": of.round_trip_s, f"input {host}": of.input_bytes_per_s}
        found[f"output {host}"] = of.output_bytes_per_s
    return found


def _predict(row: Row, constants: dict[str, float], device: Device) -> float:
    """Milliseconds: what ``timing.invocation`` gives, with other constants."""
    compute = row.compute_s * (device.compute.clock_hz / constants["clock_hz"])
    layers = np.maximum(compute, row.streamed_bytes / constants[f"stream {row.host}"]).sum()
    transfers = row.input_bytes / constants[f"input {row.host}"] + row.output_bytes / constants[f"output {row.host}"]
    return 1e3 * float(constants[f"round trip {row.host}"] + layers + transfers)


def _fit(rows: list[Row], start: dict[str, float], device: Device, steps: int = STEPS) -> dict[str, float]:
    names = list(start)
    x = np.log(np.array(list(start.values())))
    truth = np.log([row.ms for row in rows])

    def predicted(at: np.ndarray[Any, Any], some: list[Row]) -> np.ndarray[Any, Any]:
        constants = dict(zip(names, np.exp(at), strict=True))
        return np.log([_predict(row, constants, device) for row in some])

    for _ in range(steps):
        now = predicted(x, rows)
        slopes = np.zeros((len(rows), len(names)))
        for column, name in enumerate(names):
            step = x.copy()
            step[column] += 1e-3
            touched = [i for i, row in enumerate(rows) if name == "clock_hz" or name.endswith(f" {row.host}")]
            changed = predicted(step, [rows[i] for i in touched])
            slopes[touched, column] = (changed - now[touched]) / 1e-3
        weights = 1 / np.sqrt(OUTLIER**2 + (now - truth) ** 2)
        left = (slopes.T * weights) @ slopes + DAMPING * np.eye(len(names))
        x = x + np.clip(np.linalg.solve(left, (slopes.T * weights) @ (truth - now)), -0.5, 0.5)
    return dict(zip(names, (float(value) for value in np.exp(x)), strict=True))


if __name__ == "__main__":
    sys.exit(main())
