"""Run a function in a fresh Python process: what it says comes back, and a crash becomes a diagnostic.

Requests and answers are JSON lines over two pipes of their own (``child_link.py`` here,
``child_end.py`` there), so that whatever a library prints only feeds a bounded tail, which is
quoted when something goes wrong. Arrays and models cross as files named in the arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from edgecompile.core.diagnostic import from_dict
from edgecompile.core.errors import from_exit_code, internal
from edgecompile.core.progress import Progress, Silent
from edgecompile.libs.child_death import KILLED, UNEXPECTED, Crash, error_of
from edgecompile.libs.child_link import Link

__all__ = ["UNEXPECTED", "Crash", "Session", "call"]


def call(
    function: str,
    arguments: Mapping[str, Any],
    *,
    progress: Progress | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    crash: Crash = UNEXPECTED,
) -> Any:
    """The result of ``package.module:name`` called with keyword ``arguments`` in a process of its own.

    Arguments and result are JSON; a ``progress`` parameter of the function gets an object that
    reports to ``progress`` here. ``environment`` is added to the parent's. An ``EdgecompileError``
    raised there is raised here; any other exception is EC900; death, want of memory and
    ``timeout_s`` passed are told by ``crash``; what is not JSON is EC901, no process at all EC903.
    """
    with Session(environment=environment) as session:
        return session.call(function, arguments, progress=progress, timeout_s=timeout_s, crash=crash)


class Session:
    """One child process for several calls; it starts with the first call, and anew after a crash.

    Use it as a context manager, from one thread: the child is killed with the thread that started it.
    """

    def __init__(self, *, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(environment or {})
        self._link: Link | None = None
        self._killed = False

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        progress: Progress | None = None,
        timeout_s: float | None = None,
        crash: Crash = UNEXPECTED,
    ) -> Any:
        """Like :func:`call`, in this session's process."""
        request = _encode(function, arguments)
        if self._killed:
            raise error_of(crash, KILLED, None, b"")
        self._link = link = self._link or Link(self._environment)
        try:
            answer = link.ask(request, progress or Silent(), timeout_s, crash)
        except BaseException:
            # Interrupted, crashed or too slow: this process is of no more use.
            self._link = None
            link.kill()
            raise
        if "result" in answer:
            return answer["result"]
        raise from_exit_code(answer["exit_code"], map(from_dict, answer["diagnostics"]))

    @property
    def is_killed(self) -> bool:
        """Whether :meth:`kill` was called: it answers nothing any more."""
        return self._killed

    def kill(self) -> None:
        """End the process at once, from any thread: a call that waits for it raises its crash, as do later ones."""
        self._killed = True
        link = self._link
        if link is not None:
            link.end()

    def close(self) -> None:
        """Let the child end; kill it if it does not."""
        if self._link is not None:
            self._link.leave()
            self._link = None


def _encode(function: str, arguments: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps({"function": function, "arguments": dict(arguments)}).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        notes = [str(error)]
        raise internal("EC901", f"the arguments of `{function}` cannot be written as JSON", notes=notes) from error
