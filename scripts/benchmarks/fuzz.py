"""Read a million mutated files: nothing but a refusal in words, within limits of time and memory."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from _fuzz_data import data_readers
from _fuzz_flat import Flatbuffers, Metadata, Packages
from _fuzz_loaded import KerasFiles
from _fuzz_models import Checked, KerasArchives
from _fuzz_run import Reader, Tally, run, told
from _shared import CHECKOUT, table

_SLICE_S = 20.0
# Executions of each reader for the whole of the bench.
QUOTAS = {"tflite reader": 700_000, "compiled Edge TPU reader": 200_000, "model metadata reader": 100_000}
_OTHERS, _SLOW = 20_000, 1_000


def readers() -> list[Reader]:
    """All readers, the fast ones first."""
    return [Flatbuffers(), Packages(), Metadata(), *data_readers(), KerasArchives(), Checked(), KerasFiles()]


def main() -> int:
    """Print a row for each reader; exit 1 where something was met otherwise than it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="readers whose name has the word")
    parser.add_argument("--executions", type=int, metavar="N", help="of each reader  [default: its own quota]")
    parser.add_argument("--seconds", type=float, default=1e9, metavar="S", help="stop after so long")
    parser.add_argument("--state", type=Path, metavar="FILE", help="go on from what FILE says was done, and write it")
    parser.add_argument(
        "--keep", type=Path, default=CHECKOUT / "build" / "fuzz", metavar="DIR", help="inputs to look at"
    )
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    chosen = [one for one in readers() if not wish.only or any(word in one.name for word in wish.only)]
    tallies = _read(wish.state)
    until = time.monotonic() + wish.seconds
    _work(chosen, tallies, wish, until)
    print(_table(tallies))
    deaths = [(name, way, n) for name, tally in tallies.items() for way, n in tally.answers.items() if "EC400, " in way]
    for name, way, count in deaths:
        print(f"{count} x {name}: told as {way}")
    findings = [(name, what, n) for name, tally in tallies.items() for what, n in tally.findings.items()]
    for name, what, count in findings:
        print(f"{count} x {name}: {what}")
    return 1 if findings else 0


def _work(chosen: list[Reader], tallies: dict[str, Tally], wish: argparse.Namespace, until: float) -> None:
    """The readers in turns of some seconds, until each has done its part or the time is over."""
    while time.monotonic() < until:
        left = [(one, _left(one, tallies, wish)) for one in chosen]
        if not any(count > 0 for _, count in left):
            return
        for reader, count in left:
            if count <= 0 or time.monotonic() >= until:
                continue
            tally = tallies.setdefault(reader.name, Tally())
            end = min(until, time.monotonic() + _SLICE_S * (6 if reader.slow else 1))
            tally.add(run(reader, count, end, wish.seed + 7919 * (1 + tally.executions), wish.keep))
            told(f"{reader.name}: {tally.executions} executions, findings {dict(tally.findings)}")
            _write(wish.state, tallies)


def _left(reader: Reader, tallies: dict[str, Tally], wish: argparse.Namespace) -> int:
    wanted: int = wish.executions or QUOTAS.get(reader.name, _SLOW if reader.slow else _OTHERS)
    return wanted - tallies.get(reader.name, Tally()).executions


def _read(state: Path | None) -> dict[str, Tally]:
    if state is None or not state.is_file():
        return {}
    return {name: Tally.of(plain) for name, plain in json.loads(state.read_text()).items()}


def _write(state: Path | None, tallies: dict[str, Tally]) -> None:
    if state is not None:
        state.write_text(json.dumps({name: tally.plain() for name, tally in tallies.items()}, indent=1))


def _table(tallies: dict[str, Tally]) -> str:
    head = ("reader", "executions", "a second", "accepted", "ways of refusal", "slowest s", "MiB kept", "findings")
    rows = [
        (
            name,
            f"{tally.executions:,}",
            f"{tally.executions / max(tally.seconds, 1e-9):.0f}",
            f"{100 * tally.accepted / max(tally.executions, 1):.0f} %",
            str(len([answer for answer in tally.answers if answer.startswith("EC")])),
            f"{tally.slowest_s:.2f}",
            f"{tally.grown_bytes / (1 << 20):.0f}",
            str(sum(tally.findings.values())),
        )
        for name, tally in tallies.items()
    ]
    return str(table([head, *rows]))


if __name__ == "__main__":
    sys.exit(main())
