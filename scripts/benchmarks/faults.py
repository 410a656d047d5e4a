"""Kill, starve and corrupt builds: the next one gives the same bytes, and nothing half-written has a final name."""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from _fault_builds import Bench, cleared, contents, damaged_entries, half_written, judged, prepare
from _shared import table

# One fault: whether it hit, and what was wrong afterwards.
Case = Callable[[], tuple[bool, list[str]]]
Killer = Callable[[Any, Callable[[], None]], None]
_SIZES_KIB = (0, 1, 2, 4, 16, 64, 256)
_DISKS_KIB = (16, 64, 160, 320, 640)
_DAMAGES = ("a byte changed", "cut short", "empty", "the content of another entry")


def main() -> int:
    """Print a row for each kind of fault; exit 1 where something was wrong after one, 3 where more is to be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=220, metavar="N", help="builds to kill  [default: 220]")
    parser.add_argument("--keras", type=int, default=20, metavar="N", help="of these, builds of a Keras model")
    parser.add_argument("--seconds", type=float, default=1e9, metavar="S", help="stop after so long")
    parser.add_argument("--state", type=Path, metavar="FILE", help="go on from FILE, of the same checkout")
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    until = time.monotonic() + wish.seconds
    state = json.loads(wish.state.read_text()) if wish.state is not None and wish.state.is_file() else {}
    whole = True
    for kind, times in (("tflite", wish.times - wish.keras), ("keras", wish.keras)):
        if times > 0 and whole:
            with _folder(wish.state, kind) as folder:
                whole = _of_model(kind, times, folder, state, wish, until)
    failed = [line for row in state.values() for line in row["wrong"]]
    rows = [(what, str(row["times"]), str(row["hit"]), str(len(row["wrong"]))) for what, row in state.items()]
    print(table([("fault", "times", "hit", "wrong"), *rows]))
    for line, count in Counter(failed).items():
        print(f"{count} x {line}")
    return 1 if failed else 0 if whole else 3


@contextmanager
def _folder(state: Path | None, kind: str) -> Iterator[Path]:
    """Where builds lie: beside the state, where the next slice finds them, else nowhere for long."""
    if state is None:
        with tempfile.TemporaryDirectory(prefix="faults-") as name:
            yield Path(name).resolve()
        return
    folder = state.with_suffix(f".{kind}").resolve()
    folder.mkdir(exist_ok=True)
    yield folder


def _of_model(
    kind: str, times: int, folder: Path, state: dict[str, Any], wish: argparse.Namespace, until: float
) -> bool:
    """Go through the faults of one kind of model; False where the time was over before all were done."""
    os.chmod(folder, 0o755)
    bench = prepare(folder, kind == "keras")
    known = folder / "known.json"
    if not known.is_file():
        known.write_text(json.dumps(_undisturbed(bench)))
    lines, takes = json.loads(known.read_text())
    wanted = contents(folder / "wanted")
    print(f"{kind}: a build takes {takes[0]:.1f} s, unchanged {takes[1]:.1f} s, says {lines} lines", file=sys.stderr)
    for what, cases in _rows(kind, times, bench, wanted, lines, takes, wish.seed):
        row = state.setdefault(what, {"times": 0, "hit": 0, "wrong": []})
        for case in cases[row["times"] :]:
            if time.monotonic() > until:
                return False
            hit, wrong = case()
            row["times"], row["hit"], row["wrong"] = row["times"] + 1, row["hit"] + hit, row["wrong"] + wrong
            print(f"\r{what}: {row['times']} of {len(cases)}, {len(row['wrong'])} wrong", end="", file=sys.stderr)
            if wish.state is not None:
                wish.state.write_text(json.dumps(state))
        print(file=sys.stderr)
    return True


def _undisturbed(bench: Bench) -> tuple[int, tuple[float, float]]:
    """Build what all others are held against: how many lines that says, and how long it takes, known and unknown."""
    bench.build(bench.folder / "warm", bench.folder / "cache")  # what Python compiles once
    cleared(bench.folder / "cache")
    code, said, whole_s = _timed(bench)
    if code != 0:
        sys.exit(said)
    _, _, again_s = _timed(bench)
    replace(bench, more=("--ram", "200 KiB")).build(bench.folder / "other", bench.folder / "cache")
    return said.split("\n\n")[0].count("\n") + 1, (whole_s, again_s)  # lines of stages; the report follows


def _timed(bench: Bench) -> tuple[int, str, float]:
    started = time.monotonic()
    code, said = bench.build(bench.folder / "wanted", bench.folder / "cache")
    return code, said, time.monotonic() - started


def _rows(
    kind: str, times: int, bench: Bench, wanted: dict[str, bytes], lines: int, takes: tuple[float, float], seed: int
) -> Iterator[tuple[str, Sequence[Case]]]:
    """``takes``: the seconds of a build of which nothing is known, and of one that did not change."""
    draw = random.Random(seed)
    boundaries: list[Killer] = [partial(_at_line, index % lines + 1) for index in range(times // 2)]
    moments: list[Killer] = [
        partial(_at_moment, draw.uniform(0, takes[number % 3 > 0])) for number in range(times - len(boundaries))
    ]
    if kind == "tflite":
        yield from _starved(bench, wanted, draw)
    yield f"{kind}: kill -9 at a stage boundary", _kills(bench, wanted, boundaries)
    yield f"{kind}: kill -9 at a random moment", _kills(bench, wanted, moments)


def _starved(bench: Bench, wanted: dict[str, bytes], draw: random.Random) -> Iterator[tuple[str, Sequence[Case]]]:
    yield "disk full (files of a size at most)", [partial(_limited, bench, wanted, size << 10) for size in _SIZES_KIB]
    yield "disk full (file system of a size)", [partial(_small_disk, bench, wanted, size) for size in _DISKS_KIB]
    yield "read-only folders", [partial(_read_only, bench, wanted, name) for name in ("output", "cache")]
    yield "corrupt cache entries", _corruptions(bench, wanted, draw)
    yield "three builds of one folder at once", [partial(_together, bench, wanted, n) for n in (0, 1, 2)]


def _kills(bench: Bench, wanted: dict[str, bytes], killers: Sequence[Killer]) -> list[Case]:
    return [partial(_killed, bench, wanted, number, killer) for number, killer in enumerate(killers)]


def _killed(bench: Bench, wanted: dict[str, bytes], number: int, killer: Killer) -> tuple[bool, list[str]]:
    """Every third time nothing is known before, every third there is an output of another build in the place.

    Every second time the build's own processes are killed with it.
    """
    output, cache = bench.folder / "output", bench.folder / "cache"
    if number % 3 == 0:
        cleared(output, cache)
    if number % 3 == 1:
        cleared(output)
        shutil.copytree(bench.folder / "other", output)
    process = bench.start(output, cache)
    end = partial(os.killpg, process.pid, signal.SIGKILL) if number % 2 else process.kill
    killer(process, end)
    process.wait()
    wrong = half_written(output) + damaged_entries(cache) + judged(bench, output, cache, wanted)
    return process.returncode == -signal.SIGKILL, wrong


def _at_line(count: int, process: Any, kill: Callable[[], None]) -> None:
    """Kill when the build has said its ``count``-th line: a stage has just begun or ended."""
    for _ in range(count):
        if not process.stderr.readline():
            return
    kill()
    process.stderr.close()


def _at_moment(after_s: float, process: Any, kill: Callable[[], None]) -> None:
    reader = threading.Thread(target=process.stderr.read)
    reader.start()
    time.sleep(after_s)
    if process.poll() is None:
        kill()
    reader.join()


def _limited(bench: Bench, wanted: dict[str, bytes], size: int) -> tuple[bool, list[str]]:
    """No file may grow beyond a size, as on a disk that is full."""
    output, cache = bench.folder / "output", bench.folder / "cache"
    cleared(output, cache)
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    code, said = bench.build(output, cache, preexec_fn=limit)
    wrong = _ended_well(code, said, f"files of {size} bytes at most") + half_written(output) + damaged_entries(cache)
    return code != 0 or "EC821" in said, wrong + judged(bench, output, cache, wanted)


def _small_disk(bench: Bench, wanted: dict[str, bytes], size: int) -> tuple[bool, list[str]]:
    """Output and cache on a file system of few kilobytes; where none may be mounted the fault does not hit."""
    small = bench.folder / "small"
    small.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", small], capture_output=True)
    if mounted.returncode != 0:
        return False, []
    try:
        code, said = bench.build(small / "output", small / "cache")
        wrong = _ended_well(code, said, f"file system of {size} KiB")
        wrong += half_written(small / "output") + damaged_entries(small / "cache")
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        return code != 0 or "EC821" in said, wrong + judged(bench, small / "output", small / "cache", wanted)
    finally:
        subprocess.run(["umount", small], check=True)


def _read_only(bench: Bench, wanted: dict[str, bytes], name: str) -> tuple[bool, list[str]]:
    """A folder that may not be written, the output's or the cache's; for root by a file system mounted read-only."""
    closed = bench.folder / "closed"
    closed.mkdir(exist_ok=True)
    if not _close(closed):
        return False, []
    cleared(bench.folder / "output", bench.folder / "cache")
    places = {"output": bench.folder / "output", "cache": bench.folder / "cache", name: closed / name}
    try:
        code, said = bench.build(places["output"], places["cache"])
        wrong = _ended_well(code, said, f"read-only {name}")
        if name == "cache" and (code != 0 or contents(places["output"]) != wanted):
            wrong.append(f"read-only cache: the build ended with {code}, or gave other bytes: {said[-300:]}")
    finally:
        _open(closed)
    wrong += [f"read-only {name}: something was written"] if list(closed.iterdir()) else []
    return True, wrong


def _close(folder: Path) -> bool:
    if os.getuid() != 0:
        folder.chmod(0o555)
        return True
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", folder], capture_output=True).returncode == 0


def _open(folder: Path) -> None:
    if os.getuid() != 0:
        folder.chmod(0o755)
    else:
        subprocess.run(["umount", folder], check=True)


def _corruptions(bench: Bench, wanted: dict[str, bytes], draw: random.Random) -> list[Case]:
    """Every entry of the cache damaged in turn, in each way."""
    cache = bench.folder / "whole"
    bench.build(bench.folder / "output", cache)
    names = [path.relative_to(cache) for path in sorted(cache.rglob("*.entry"))]
    places = [draw.random() for _ in names]
    return [
        partial(_corrupt, bench, wanted, cache, name, names[index - 1], damage, places[index])
        for index, name in enumerate(names)
        for damage in _DAMAGES
    ]


def _corrupt(
    bench: Bench, wanted: dict[str, bytes], whole: Path, name: Path, other: Path, damage: str, place: float
) -> tuple[bool, list[str]]:
    output, cache = bench.folder / "output", bench.folder / "cache"
    cleared(output, cache)
    shutil.copytree(whole, cache)
    content = (whole / name).read_bytes()
    at = int(place * len(content))
    damaged = {
        "a byte changed": content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :],
        "cut short": content[:at],
        "empty": b"",
        "the content of another entry": (whole / other).read_bytes(),
    }
    (cache / name).write_bytes(damaged[damage])
    return True, judged(bench, output, cache, wanted)


def _together(bench: Bench, wanted: dict[str, bytes], number: int) -> tuple[bool, list[str]]:
    """Three builds of one folder at once, with nothing known and with everything known."""
    output, cache = bench.folder / "output", bench.folder / "cache"
    wrong: list[str] = []
    cleared(output)
    if number != 1:
        cleared(cache)
    builds = [bench.start(output, cache) for _ in range(3)]
    for build in builds:
        _, said = build.communicate()
        if build.returncode != 0:
            wrong.append(f"of builds at once one ended with {build.returncode}: {said[-300:]}")
    wrong += half_written(output) + ([] if contents(output) == wanted else ["builds at once: other bytes"])
    return True, wrong + judged(bench, output, cache, wanted)


def _ended_well(code: int, said: str, what: str) -> list[str]:
    """A fault of the machine is told as one: neither a bug of ours nor a traceback."""
    if code in (0, 1, 2, 3) and "Traceback" not in said and "EC900" not in said:
        return []
    return [f"{what}: ended with {code}: {said[-500:]}"]


if __name__ == "__main__":
    sys.exit(main())
