"""The child's end of ``libs/child.py``: answers requests until the parent closes the pipe."""

from __future__ import annotations

import ctypes
import importlib
import inspect
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import IO, Any

from edgecompile.core.errors import EdgecompileError, internal
from edgecompile.libs.arrays import is_full, no_room

_PACKAGE = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Serve requests; ``sys.argv``: import path, request descriptor, answer descriptor, parent's process id."""
    request_end, answer_end, parent = (int(text) for text in sys.argv[2:5])
    sys.argv = sys.argv[:1]
    _die_with(parent)
    for descriptor in (request_end, answer_end):
        os.set_inheritable(descriptor, False)  # a program started from here must not keep the pipe open
    with open(request_end, "rb") as requests, open(answer_end, "wb") as answers:
        for line in requests:
            _send(answers, _answer(json.loads(line), _Reporter(answers)))


class _Reporter:
    """A ``core.progress.Progress`` whose listener lives in the parent."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers

    def begin(self, stage: str, detail: str) -> None:
        _send(self._answers, {"progress": ["begin", [stage, detail]]})

    def update(self, done: int, total: int, what: str) -> None:
        _send(self._answers, {"progress": ["update", [int(done), int(total), what]]})

    def end(self, summary: str) -> None:
        _send(self._answers, {"progress": ["end", [summary]]})


def _die_with(parent: int) -> None:
    """Have the kernel kill this process with its parent; Linux only, elsewhere the closed pipe ends it."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(0)


def _send(answers: IO[bytes], message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


def _answer(request: dict[str, Any], reporter: _Reporter) -> dict[str, Any]:
    function = request["function"]
    try:
        result = _run(function, request["arguments"], reporter)
        return _checked(function, result)
    except EdgecompileError as error:
        return _refusal(error)
    except OSError as error:
        return _refusal(no_room(error.strerror or str(error)) if is_full(error) else _unexpected(function, error))
    except MemoryError as error:
        return {"memory": _place(error)}
    except Exception as error:
        return _refusal(_unexpected(function, error))


def _run(function: str, arguments: dict[str, Any], reporter: _Reporter) -> Any:
    module, _, name = function.partition(":")
    target = getattr(importlib.import_module(module), name)
    if "progress" in inspect.signature(target).parameters:
        return target(**arguments, progress=reporter)
    return target(**arguments)


def _checked(function: str, result: Any) -> dict[str, Any]:
    try:
        json.dumps(result)
    except (TypeError, ValueError, RecursionError) as error:
        notes = [str(error)]
        raise internal("EC901", f"the result of `{function}` cannot be written as JSON", notes=notes) from error
    return {"result": result}


def _refusal(error: EdgecompileError) -> dict[str, Any]:
    return {"exit_code": error.exit_code, "diagnostics": [diagnostic.to_dict() for diagnostic in error.diagnostics]}


def _unexpected(function: str, error: Exception) -> EdgecompileError:
    first = (str(error).strip().splitlines() or [""])[0]
    return internal(
        "EC900",
        f"`{function}` failed in a way it should not",
        notes=[f"{type(error).__name__}: {first[:500]}", f"raised at {_place(error)}"],
        help=["this is a fault of the compiler: please report it with the command you ran"],
    )


def _place(error: Exception) -> str:
    """``file:line`` of the innermost frame in this package, or of the innermost frame at all."""
    frames = list(traceback.extract_tb(error.__traceback__))
    ours = [frame for frame in frames if _within_package(frame.filename)]
    frame = (ours or frames)[-1]
    return f"{_shortened(frame.filename)}:{frame.lineno}"


def _within_package(filename: str) -> bool:
    path = Path(filename)
    return _PACKAGE in path.parents and path != Path(__file__).resolve()


def _shortened(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_PACKAGE.parent)) if _PACKAGE in path.parents else path.name
