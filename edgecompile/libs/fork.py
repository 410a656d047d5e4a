"""Split work over forked processes, inside a child process that may die as a whole."""

from __future__ import annotations

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from edgecompile.core.diagnostic import from_dict
from edgecompile.core.errors import EdgecompileError, from_exit_code

_TELL_EVERY_S = 0.1
_FAILED = 1
Part = Callable[[int, Callable[[int], None]], Mapping[str, Any]]


def spread(part: Part, workers: int, tell: Callable[[int], None]) -> list[Mapping[str, Any]]:
    """``part(worker, count)`` for every worker, each in a process of its own when there are several.

    ``part`` calls ``count(n)`` for n more units done; their sum is passed to ``tell``. Results are
    JSON. An EdgecompileError of the first part that has one is raised here; a part killed by a
    signal kills this process by the same one, so that the caller learns what happened.

    Fork before any library that starts threads is loaded: ``part`` does the loading.
    """
    counter = _Counter(tell)
    if workers == 1:
        return [part(0, counter.add)]
    pipes = [_start(part, worker) for worker in range(workers)]
    answers = _collect([end for _, end in pipes], counter)
    for pid, _ in pipes:
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            os.kill(os.getpid(), os.WTERMSIG(status))
            time.sleep(1)  # a signal that is blocked or ignored here: fall through to the next best
            os.kill(os.getpid(), signal.SIGKILL)
    for answer in answers:
        if not answer:
            raise RuntimeError("a forked process ended without an answer")
        if "exit_code" in answer:
            raise from_exit_code(answer["exit_code"], map(from_dict, answer["diagnostics"]))
    return [answer["result"] for answer in answers]


class _Counter:
    """Adds up what is done and passes the sum on a few times a second."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell, self._done, self._told = tell, 0, time.monotonic()

    def add(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._told > _TELL_EVERY_S:
            self._tell(self._done)
            self._told = time.monotonic()


def _start(part: Part, worker: int) -> tuple[int, int]:
    """Fork; gives the process id and the end from which its lines come."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.close(reading)
        os.write(writing, json.dumps(_answer(part, worker, writing)).encode() + b"\n")
        os._exit(0)
    except BaseException:  # nothing may unwind into what the fork copied
        traceback.print_exc()
        os._exit(_FAILED)


def _answer(part: Part, worker: int, writing: int) -> dict[str, Any]:
    told = [0, time.monotonic()]

    def count(done: int) -> None:
        told[0] += done
        if time.monotonic() - told[1] > _TELL_EVERY_S:
            os.write(writing, json.dumps({"done": told[0]}).encode() + b"\n")
            told[0], told[1] = 0, time.monotonic()

    try:
        return {"result": part(worker, count)}
    except EdgecompileError as error:
        return {"exit_code": error.exit_code, "diagnostics": [d.to_dict() for d in error.diagnostics]}


def _collect(ends: list[int], counter: _Counter) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = [{} for _ in ends]
    pending = [b"" for _ in ends]
    open_ends = set(ends)
    while open_ends:
        for end in select.select(list(open_ends), [], [])[0]:
            index = ends.index(end)
            content = os.read(end, 1 << 16)
            if not content:
                os.close(end)
                open_ends.discard(end)
            *lines, pending[index] = (pending[index] + content).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "done" in message:
                    counter.add(message["done"])
                else:
                    answers[index] = message
    return answers
