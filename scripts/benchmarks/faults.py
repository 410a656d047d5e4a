"""Kill, starve and corrupt builds: the next one gives the same bytes, and nothing half-written has a final name."""

from __future__ import annotations

import argparse
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
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from _fault_builds import Bench, cleared, contents, damaged_entries, half_written, judged, prepare
from _shared import table

Row = tuple[str, int, list[str]]


def main() -> int:
    """Print a row for each kind of fault; exit 1 where something was wrong after one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200, metavar="N", help="builds to kill  [default: 200]")
    parser.add_argument("--keras", type=int, default=20, metavar="N", help="of these, builds of a Keras model")
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    random.seed(wish.seed)
    rows: list[Row] = []
    for kind, times in (("tflite", wish.times - wish.keras), ("keras", wish.keras)):
        with tempfile.TemporaryDirectory(prefix="faults-") as name:
            rows += _of_model(kind, times, Path(name).resolve())
    failed = [line for _, _, wrong in rows for line in wrong]
    print(table([("fault", "times", "wrong"), *((what, str(n), str(len(wrong))) for what, n, wrong in rows)]))
    for line, count in Counter(failed).items():
        print(f"{count} x {line}")
    return 1 if failed else 0


def _of_model(kind: str, times: int, folder: Path) -> list[Row]:
    if times <= 0:
        return []
    os.chmod(folder, 0o755)
    bench = prepare(folder, kind == "keras")
    started = time.monotonic()
    code, said = bench.build(folder / "wanted", folder / "cache")
    whole_s = time.monotonic() - started
    if code != 0:
        sys.exit(said)
    wanted = contents(folder / "wanted")
    lines = said.split("\n\n")[0].count("\n") + 1  # those of stages; the report follows
    replace(bench, more=("--ram", "200 KiB")).build(folder / "other", folder / "cache")
    print(f"{kind}: a build takes {whole_s:.1f} s here and says {lines} lines", file=sys.stderr)
    boundaries = [index % lines + 1 for index in range(times // 2)]
    moments = [random.uniform(0, whole_s) for _ in range(times - len(boundaries))]
    rows = [
        _killed(f"{kind}: kill -9 at a stage boundary", bench, wanted, [_at_line(n) for n in boundaries]),
        _killed(f"{kind}: kill -9 at a random moment", bench, wanted, [_at_moment(s) for s in moments]),
    ]
    if kind == "tflite":
        rows += [
            _full_by_limit(bench, wanted),
            *_full_file_system(bench, wanted),
            *_read_only(bench, wanted),
            _corrupt(bench, wanted),
            _together(bench, wanted),
        ]
    return rows


def _killed(what: str, bench: Bench, wanted: dict[str, bytes], killers: list[Callable[[Any], None]]) -> Row:
    """Every third time nothing is known before, every third there is an output of another build in the place."""
    output, cache = bench.folder / "output", bench.folder / "cache"
    wrong: list[str] = []
    killed = 0
    for number, killer in enumerate(killers):
        if number % 3 == 0:
            cleared(output, cache)
        process = bench.start(output, cache)
        killer(process)
        process.wait()
        killed += process.returncode == -signal.SIGKILL
        wrong += half_written(output) + damaged_entries(cache)
        wrong += judged(bench, output, cache, wanted)
        if number % 3 == 1:
            cleared(output)
            shutil.copytree(bench.folder / "other", output)
        print(f"\r{what}: {number + 1} of {len(killers)}, {len(wrong)} wrong", end="", file=sys.stderr)
    print(file=sys.stderr)
    return f"{what} ({killed} hit)", len(killers), wrong


def _at_line(count: int) -> Callable[[Any], None]:
    """Kill when the build has said its ``count``-th line: a stage has just begun or ended."""

    def kill(process: Any) -> None:
        for _ in range(count):
            if not process.stderr.readline():
                return
        process.kill()

    return kill


def _at_moment(after_s: float) -> Callable[[Any], None]:
    def kill(process: Any) -> None:
        reader = threading.Thread(target=process.stderr.read)
        reader.start()
        time.sleep(after_s)
        process.kill()
        reader.join()

    return kill


def _full_by_limit(bench: Bench, wanted: dict[str, bytes]) -> Row:
    """No file may grow beyond a size, as on a disk that is full."""
    sizes = [0, 1 << 10, 2 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10]
    wrong: list[str] = []
    for size in sizes:
        output, cache = bench.folder / "output", bench.folder / "cache"
        cleared(output, cache)
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        code, said = bench.build(output, cache, preexec_fn=limit)
        wrong += _ended_well(code, said, f"files of {size} bytes at most")
        wrong += half_written(output) + damaged_entries(cache) + judged(bench, output, cache, wanted)
    return "disk full (RLIMIT_FSIZE)", len(sizes), wrong


def _full_file_system(bench: Bench, wanted: dict[str, bytes]) -> list[Row]:
    """Output, cache and temporary files on a file system of few kilobytes."""
    sizes = [16, 64, 160, 320, 640]
    wrong: list[str] = []
    for size in sizes:
        small = bench.folder / "small"
        small.mkdir(exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", small], capture_output=True)
        if mounted.returncode != 0:
            print("no file system of a given size can be mounted here", file=sys.stderr)
            return []
        try:
            code, said = bench.build(small / "output", small / "cache")
            wrong += _ended_well(code, said, f"file system of {size} KiB")
            wrong += half_written(small / "output") + damaged_entries(small / "cache")
            subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
            wrong += judged(bench, small / "output", small / "cache", wanted)
        finally:
            subprocess.run(["umount", small], check=True)
    return [("disk full (tmpfs)", len(sizes), wrong)]


def _read_only(bench: Bench, wanted: dict[str, bytes]) -> list[Row]:
    """Folders that may not be written: the output's, the cache's; for root by a file system mounted read-only."""
    wrong: list[str] = []
    closed = bench.folder / "closed"
    for name in ("output", "cache"):
        closed.mkdir(exist_ok=True)
        if not _close(closed):
            print("no file system can be mounted read-only here", file=sys.stderr)
            return []
        cleared(bench.folder / "output", bench.folder / "cache")
        places = {"output": bench.folder / "output", "cache": bench.folder / "cache", name: closed / name}
        try:
            code, said = bench.build(places["output"], places["cache"])
            wrong += _ended_well(code, said, f"read-only {name}")
            if name == "cache" and (code != 0 or contents(places["output"]) != wanted):
                wrong.append(f"read-only cache: the build ended with {code}, or gave other bytes: {said[-300:]}")
        finally:
            _open(closed)
        wrong += [f"read-only {name}: something was written"] if list(closed.iterdir()) else []
    return [("read-only folders", 2, wrong)]


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


def _corrupt(bench: Bench, wanted: dict[str, bytes]) -> Row:
    """Every entry of the cache damaged in turn: a byte changed, cut short, empty, replaced by another entry."""
    output, cache = bench.folder / "output", bench.folder / "cache"
    cleared(output, cache)
    bench.build(output, cache)
    wrong, count = [], 0
    for entry in sorted(cache.rglob("*.entry")):
        whole = entry.read_bytes()
        at = random.randrange(len(whole))
        for damage in (whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :], whole[:at], b""):
            entry.write_bytes(damage)
            cleared(output)
            wrong += judged(bench, output, cache, wanted)
            count += 1
    return "corrupt cache entries", count, wrong


def _together(bench: Bench, wanted: dict[str, bytes]) -> Row:
    """Three builds of one folder at once, with nothing known and with everything known."""
    output, cache = bench.folder / "output", bench.folder / "cache"
    wrong: list[str] = []
    for known in (False, True, False):
        cleared(output)
        if not known:
            cleared(cache)
        builds = [bench.start(output, cache) for _ in range(3)]
        for build in builds:
            _, said = build.communicate()
            if build.returncode != 0:
                wrong.append(f"of builds at once one ended with {build.returncode}: {said[-300:]}")
        wrong += half_written(output) + ([] if contents(output) == wanted else ["builds at once: other bytes"])
        wrong += judged(bench, output, cache, wanted)
    return "three builds of one folder at once", 3, wrong


def _ended_well(code: int, said: str, what: str) -> list[str]:
    """A fault of the machine is told as one: neither a bug of ours nor a traceback."""
    if code in (0, 1, 2, 3) and "Traceback" not in said and "EC900" not in said:
        return []
    return [f"{what}: ended with {code}: {said[-500:]}"]


if __name__ == "__main__":
    sys.exit(main())
