"""One trial: the real pipeline in a process of its own, wherever that runs; what comes back is plain data."""

from __future__ import annotations

import base64
import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgecompile.cache.store import Store
from edgecompile.core.diagnostic import Diagnostic, from_dict
from edgecompile.core.errors import EdgecompileError, from_exit_code
from edgecompile.core.progress import Progress
from edgecompile.core.project import Project
from edgecompile.core.target import Target
from edgecompile.libs import child

# How often a build is begun whose process dies.
ATTEMPTS = 3
_DIED = child.Crash(
    code="EC863",
    message="the process that builds a trial died",
    help=("use fewer `--workers`, each of which holds the model and the samples in memory",),
)
_KILLED = "SIGKILL"
# Another build holds the folder: on a cluster, that of a search that was interrupted and goes on unheard.
_HELD = "EC634"
# How codes begin of folders that cannot be written.
_OUTPUT = "EC63"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where builds keep what they find out, and in which environment they run; ``cache`` None: nowhere.

    ``threads``: TensorFlow's, 0: as many as in a build that nobody else runs beside.
    """

    cache: Path | None
    limit_bytes: int = 0
    setting: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    threads: int = 0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to build, and where."""

    project: Project
    target: Target
    place: Place


def work(order: Order, session: child.Session | None = None) -> dict[str, Any]:
    """Build, and say how it ended: ``status``, ``measures``, ``diagnostics``, ``details`` and ``duration_s``.

    The function that executors run, on this machine and on others. A build that rejects the model, and an input that
    cannot be read, are answers too (``exit_code``); a process that dies is started again, a few times.
    """
    started = time.monotonic()
    for attempt in range(ATTEMPTS):
        answer = _asked(order, session)
        if not _is_death(answer) or attempt == ATTEMPTS - 1 or (session is not None and session.is_killed):
            break
    return {**answer, "duration_s": round(time.monotonic() - started, 2)}


def _asked(order: Order, session: child.Session | None) -> dict[str, Any]:
    arguments = {"packed": base64.b64encode(pickle.dumps(order)).decode()}
    own = session or child.Session(environment=order.place.environment)
    try:
        answer: dict[str, Any] = own.call("edgecompile.search.trial:evaluate", arguments, crash=_DIED)
    except EdgecompileError as error:
        told = [one.to_dict() for one in error.diagnostics]
        answer = {"status": "failed", "exit_code": error.exit_code, "measures": [], "details": {}, "diagnostics": told}
    finally:
        if session is None:
            own.close()
    return answer


def evaluate(packed: str, progress: Progress) -> dict[str, Any]:
    """In the process of the trial: build with the pipeline, and give what of the report a search reads."""
    from edgecompile.pipeline import build

    order: Order = pickle.loads(base64.b64decode(packed))  # from the pipe of the process that started this one
    place = order.place
    store = None
    if place.cache is not None:
        store = Store(folder=place.cache, limit_bytes=place.limit_bytes, setting=place.setting)
    report = build(order.project, [order.target], progress, cache=place.cache, store=store)[0]
    plain = report.to_dict()
    errors = {"verified": 0, "built": 0, "rejected": 1}
    return {
        "status": report.status,
        "exit_code": errors.get(report.status, 3),
        "measures": plain["measures"],
        "diagnostics": plain["diagnostics"],
        "details": {name: plain["details"].get(name) for name in ("sensitivity", "data")},
    }


def demand_written(answer: Mapping[str, Any]) -> None:
    """Raise what the build said where its output could not be written: of a full disk the recipe is not to blame.

    What is built here lies in the study's folder, so that is the one to be named otherwise.
    """
    said = [_of_study(from_dict(one)) for one in answer["diagnostics"]]
    if answer["exit_code"] and any(one.code.startswith(_OUTPUT) and one.code != _HELD for one in said):
        raise from_exit_code(answer["exit_code"], said)


def _of_study(said: Diagnostic) -> Diagnostic:
    return replace(said, help=tuple(line.replace("`--output`", "`--study`") for line in said.help))


def _is_death(answer: Mapping[str, Any]) -> bool:
    """Whether it ended by something that need not happen again; a converter that crashes by itself will do so again."""
    said = [(one["code"], one["message"]) for one in answer["diagnostics"]]
    return any(code in (_DIED.code, _HELD) or (answer["exit_code"] and _KILLED in message) for code, message in said)
