"""Functions that the tests of `libs/child.py` run in a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

from edgecompile.core.errors import bad_input, internal, missing, rejected
from edgecompile.core.progress import Progress

RAISERS = {"bad_input": bad_input, "rejected": rejected, "missing": missing, "internal": internal}


def give(value: Any) -> Any:
    return value


def give_many(count: int) -> str:
    return "ä" * count


def process_id() -> int:
    return os.getpid()


def variable(name: str) -> str | None:
    return os.environ.get(name)


def report(progress: Progress) -> str:
    progress.begin("Load", "kws.keras")
    for step in range(3):
        progress.update(step, 3, "epoch")
    progress.end("loaded")
    return "done"


def print_much(lines: int) -> str:
    for line in range(lines):
        print(f"line {line} of what a library prints")
        print(f"line {line} of its warnings", file=sys.stderr)
    return "quiet"


def read_stdin() -> str:
    return sys.stdin.read()


def refuse(kind: str) -> None:
    raise RAISERS[kind]("EC100", "a plain message with ümlaut", "model.keras", ["limit 4, found 5"], ["do this"])


def fail() -> None:
    raise ValueError("first line\nsecond line of a dump")


def fail_inside_the_package() -> None:
    from edgecompile.core.units import parse_size

    parse_size("no size")


def want_memory() -> None:
    raise MemoryError


def give_what_is_not_json() -> Any:
    return {1, 2}


def die(by: str, progress: Progress) -> None:
    progress.begin("Convert", "int8")
    print("the last words")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.Signals[by])


def leave(code: int) -> None:
    os._exit(code)


def write_bytes() -> None:
    os.write(2, b"\xff\xfe broken text\n")
    os._exit(1)


def sleep(progress: Progress) -> None:
    progress.begin("Sleep", str(os.getpid()))
    time.sleep(600)


def sleep_with_a_child(progress: Progress) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    progress.begin("Sleep", str(child.pid))
    time.sleep(600)


def leave_one_behind() -> str:
    """A program that outlives the child and holds its output open."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    os._exit(7)


def write_where_it_is_full() -> None:
    """A write that fails for want of room."""
    with open("/dev/full", "w") as stream:
        stream.write("x")
