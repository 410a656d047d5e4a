"""The worker process seen from the parent: its pipes, its output and its end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from edgecompile.core.errors import internal
from edgecompile.core.progress import Progress
from edgecompile.libs.child_death import Crash, Death, error_of, of_memory, of_returncode, of_timeout

# The child takes over the parent's import path, so it finds what the parent finds and nothing that
# merely lies in the working directory (which `python -m` would put first).
_START = "import sys; sys.path[:] = sys.argv[1].split('\\n'); from edgecompile.libs.child_end import main; main()"
_CHUNK_BYTES = 1 << 20
_TAIL_BYTES = 16 * 1024
_POLL_S = 0.2
_LEAVE_S = 5.0


class Link:
    """A running child. Raises EC903 when none can be started."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        request_end, self._requests = os.pipe()
        self._answers, answer_end = os.pipe()
        try:
            self._process = _start(request_end, answer_end, environment)
        except OSError as error:
            os.close(self._requests)
            os.close(self._answers)
            notes = [f"`{sys.executable}`: {error}"]
            raise internal("EC903", "a worker process could not be started", notes=notes) from error
        finally:
            os.close(request_end)
            os.close(answer_end)
        assert self._process.stdout is not None
        self._open = [self._answers, self._process.stdout.fileno()]
        self._pending = bytearray()
        self._ended = 0  # up to where whole messages have come in
        self._tail: deque[bytes] = deque()
        self._stage: str | None = None

    def ask(self, request: bytes, progress: Progress, timeout_s: float | None, crash: Crash) -> dict[str, Any]:
        """The answer to a request, progress passed on meanwhile; raises ``crash`` when there is none."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._tail.clear()
        self._stage = None
        left = memoryview(request)
        os.set_blocking(self._requests, False)
        while True:
            if deadline is not None and timeout_s is not None and time.monotonic() > deadline:
                raise self._died(crash, of_timeout(timeout_s))
            left = self._exchange(left)
            answer = self._hear(progress)
            if answer is None and self._process.poll() is not None:
                self._drain()
                answer = self._hear(progress)
                if answer is None:
                    raise self._died(crash, of_returncode(self._process.returncode))
            if answer is not None and "memory" in answer:
                raise self._died(crash, of_memory(answer["memory"]))
            if answer is not None:
                return answer

    def kill(self) -> None:
        """End the child and everything it started, at once."""
        if self._requests < 0:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._requests)
        os.close(self._answers)
        self._requests = self._answers = -1
        assert self._process.stdout is not None
        self._process.stdout.close()

    def end(self) -> None:
        """End the child, from any thread: whoever asks it sees that it died, and cleans up."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def leave(self) -> None:
        """Close the request pipe, at which the child ends by itself; kill it if it does not."""
        os.close(self._requests)
        self._requests = os.open(os.devnull, os.O_WRONLY)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LEAVE_S)
        self.kill()

    def _exchange(self, left: memoryview) -> memoryview:
        """Move bytes in whatever direction they can go, waiting a moment at most; what is left to send."""
        readable, writable, _ = select.select(self._open, [self._requests] if left else [], [], _POLL_S)
        for end in readable:
            self._take(end, os.read(end, _CHUNK_BYTES))
        if not writable:
            return left
        try:
            return left[os.write(self._requests, left[:_CHUNK_BYTES]) :]
        except BrokenPipeError:  # it died: seen when the caller polls
            return left[:0]

    def _drain(self) -> None:
        """Take what was written between the last read and the death."""
        for end in tuple(self._open):
            os.set_blocking(end, False)  # what the child started may hold its end open: do not wait for that
            with contextlib.suppress(BlockingIOError):
                while end in self._open:
                    self._take(end, os.read(end, _CHUNK_BYTES))

    def _take(self, end: int, content: bytes) -> None:
        if not content:
            self._open.remove(end)  # closed, by death as a rule: nothing to wait for there
        elif end == self._answers:
            if b"\n" in content:
                self._ended = len(self._pending) + content.rindex(b"\n") + 1
            self._pending += content
        else:
            self._keep(content)

    def _keep(self, output: bytes) -> None:
        self._tail.append(output[-_TAIL_BYTES:])
        while sum(map(len, self._tail)) - len(self._tail[0]) >= _TAIL_BYTES:
            self._tail.popleft()

    def _hear(self, progress: Progress) -> dict[str, Any] | None:
        """Pass on the progress that has come in; the answer if it is there."""
        end, self._ended = self._ended, 0
        if not end:
            return None
        whole, self._pending = bytes(self._pending[:end]), self._pending[end:]
        for line in whole.splitlines():
            message: dict[str, Any] = json.loads(line)
            if "progress" not in message:
                return message
            self._pass_on(progress, *message["progress"])
        return None

    def _pass_on(self, progress: Progress, kind: str, values: list[Any]) -> None:
        if kind == "begin":
            self._stage = f"{values[0]} {values[1]}".strip()
            progress.begin(*values)
        elif kind == "update":
            progress.update(*values)
        else:
            progress.end(*values)

    def _died(self, crash: Crash, death: Death) -> Exception:
        self.kill()
        return error_of(crash, death, self._stage, b"".join(self._tail))


def _start(request_end: int, answer_end: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    path = "\n".join(entry or os.getcwd() for entry in sys.path)
    ends = [str(request_end), str(answer_end), str(os.getpid())]
    return subprocess.Popen(
        [sys.executable, "-u", "-c", _START, path, *ends],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(request_end, answer_end),
        env={**os.environ, **environment},
        start_new_session=True,  # Ctrl-C reaches the parent alone, which then kills the whole group
    )
