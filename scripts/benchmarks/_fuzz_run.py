"""Run a reader on mutated inputs in a process of its own, under limits of time and memory, and tell what went wrong."""

from __future__ import annotations

import json
import mmap
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgecompile.core.errors import EdgecompileError
from edgecompile.libs.keras_child import CONVERTER_DIED

# For an input of 64 KiB at most: what the readers may take beyond what they took for the seeds.
ROOM_BYTES = 96 << 20
# Seconds of the processor for one input, so that a loaded machine makes no finding.
LIMIT_S = 2.0
_SHARED_BYTES = 1 << 21
_LOOK_EVERY = 512


class Reader(Protocol):
    """``make`` gives the next input; ``use`` reads it, and may raise EdgecompileError only; ``learn`` hears of inputs
    that were met otherwise than all before."""

    name: str
    slow: bool

    def make(self, draw: random.Random) -> bytes: ...
    def use(self, content: bytes) -> None: ...
    def learn(self, content: bytes) -> None: ...


class TooLongError(BaseException):
    """The processor's time for one input is over."""


@dataclass(kw_only=True)
class Tally:
    """What happened. ``answers`` counts the ways in which inputs were met; ``findings`` what should not have been."""

    executions: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    grown_bytes: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take up what happened in another slice."""
        for name in ("executions", "accepted", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.grown_bytes = max(self.grown_bytes, other.grown_bytes)
        self.answers += other.answers
        self.findings += other.findings

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Tally:
        """The inverse of :meth:`plain`."""
        counters = {name: Counter(plain[name]) for name in ("answers", "findings")}
        return cls(**{**plain, **counters})


def run(reader: Reader, executions: int, until: float, seed: int, keep: Path) -> Tally:
    """Up to ``executions`` inputs, until the monotonic clock says ``until``; inputs of findings go to ``keep``.

    A process that dies is a finding too; the next one goes on with another seed.
    """
    total = Tally()
    reader.make(random.Random(seed))  # what it makes once is made here, not in each process
    while total.executions < executions and time.monotonic() < until:
        shared = mmap.mmap(-1, _SHARED_BYTES)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _child(reader, executions - total.executions, until, seed + total.executions, keep, shared, writing)
        os.close(writing)
        _patient(pid, until + (600 if reader.slow else 60))
        with os.fdopen(reading, "rb") as stream:
            said = stream.read()
        _, status = os.waitpid(pid, 0)
        part = Tally.of(json.loads(said)) if said else _died(reader, shared, status, keep)
        total.add(part)
    return total


def meet(reader: Reader, content: bytes) -> tuple[str, str | None]:
    """How the input was met, and what is wrong with that; the time limit needs a handler of SIGVTALRM."""
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S * (10 if reader.slow else 1))
    try:
        reader.use(content)
        answer, finding = "accepted", None
    except EdgecompileError as error:
        answer, finding = _way(error), _unspoken(error)
    except TooLongError as error:
        answer = finding = f"longer than {LIMIT_S} s: {_place(error)}"
    except AssertionError as error:
        answer = finding = str(error)
    except BaseException as error:
        answer = finding = f"{type(error).__name__} at {_place(error)}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return answer, finding


def _patient(pid: int, until: float) -> None:
    """Kill a process that neither ends nor hears of its limits."""

    def late(*_: object) -> None:
        os.kill(pid, signal.SIGKILL)

    usual = signal.signal(signal.SIGALRM, late)
    before = signal.setitimer(signal.ITIMER_REAL, max(until - time.monotonic(), 1))
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    signal.setitimer(signal.ITIMER_REAL, *before)
    signal.signal(signal.SIGALRM, usual)


def _died(reader: Reader, shared: mmap.mmap, status: int, keep: Path) -> Tally:
    done, size = int.from_bytes(shared[:8], "little"), int.from_bytes(shared[8:16], "little")
    key = f"the process ended with status {status}"
    _save(keep, reader.name, key, shared[16 : 16 + size])
    return Tally(executions=max(done, 1), findings=Counter([key]))


def _child(
    reader: Reader, executions: int, until: float, seed: int, keep: Path, shared: mmap.mmap, writing: int
) -> None:
    code = 1
    try:
        tally = _loop(reader, executions, until, random.Random(seed), keep, shared)
        os.write(writing, json.dumps(tally.plain()).encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _loop(reader: Reader, executions: int, until: float, draw: random.Random, keep: Path, shared: mmap.mmap) -> Tally:
    tally, started = Tally(), time.monotonic()
    signal.signal(signal.SIGVTALRM, _late)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    for _ in range(3):
        meet(reader, reader.make(draw))  # what is loaded on first use is nobody's fault
    at_first = _resident()
    if not reader.slow:  # processes of theirs would inherit the limit
        _limit_memory()
    while tally.executions < executions and time.monotonic() < until:
        content = reader.make(draw)
        shared[16 : 16 + len(content)] = content
        shared[:16] = tally.executions.to_bytes(8, "little") + len(content).to_bytes(8, "little")
        begun = time.process_time()
        answer, finding = meet(reader, content)
        tally.slowest_s = max(tally.slowest_s, time.process_time() - begun)
        tally.executions += 1
        tally.accepted += answer == "accepted"
        if finding:
            if finding not in tally.findings:
                _save(keep, reader.name, finding, content)
            tally.findings[finding] += 1
        elif answer not in tally.answers:
            reader.learn(content)
        tally.answers[answer] += 1
        if tally.executions % _LOOK_EVERY == 0 or reader.slow:
            tally.grown_bytes = max(tally.grown_bytes, _resident() - at_first)
    if tally.grown_bytes > ROOM_BYTES:
        tally.findings[f"more than {ROOM_BYTES >> 20} MiB were kept"] += 1
    tally.seconds = time.monotonic() - started
    return tally


def _way(error: EdgecompileError) -> str:
    """The code; of a child that died, which has one code for all deaths, also of what it died."""
    first = error.diagnostics[0]
    return first.code if first.code != CONVERTER_DIED.code else f"{first.code}, {first.message.rpartition(': ')[2]}"


def _unspoken(error: EdgecompileError) -> str | None:
    """A refusal must be sayable: printable, of bounded length, and no fault of ours."""
    said = "\n".join(diagnostic.render() for diagnostic in error.diagnostics)
    if error.exit_code == 70:
        return f"told as a fault of ours: {said[:80]}"
    if len(said) > 20_000:
        return f"a message of {len(said) // 10_000}0,000 letters: {error.diagnostics[0].code}"
    odd = {letter for letter in said if not letter.isprintable() and letter not in "\n\t"}
    return f"unprintable letters in {error.diagnostics[0].code}" if odd else None


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/edgecompile/" in frame.filename] or list(frames)
    return f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "nowhere"


def _late(*_: object) -> None:
    raise TooLongError


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _save(keep: Path, reader: str, finding: str, content: bytes) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() else "-" for letter in finding)[:80]
    (keep / f"{reader}-{name}").write_bytes(content)


def told(line: str) -> None:
    """On standard error: the table alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)
