"""What real delegates say about a model, asked on this machine: XNNPACK, and the checker of the GPU delegate.

XNNPACK runs wherever LiteRT does, so its answer is the one that a phone gives. The GPU delegate does not run here; what
TensorFlow ships is its checker, ``tf.lite.experimental.Analyzer``, which tests one operator after the other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.errors import missing
from edgecompile.libs import child, litert
from edgecompile.libs.libraries import missing_library

# In the order in which they are asked: the newest XNNPACK first, whose rules the profile states.
_XNNPACK = ("ai-edge-litert", "tflite-runtime", "tensorflow")
# Removed in October 2024 (tensorflow pull request 74830); 2.20.0 and 2.21.0 let custom operators of the Edge TPU pass.
_NOT_CHECKING_SINCE = (2, 19)
_DIED = child.Crash(code="EC756", message="the interpreter died while it took in the model")
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a delegate made of one model's first subgraph.

    ``taken``: the operators that it takes, in order. ``partitions``: the pieces they fall into, None where the one
    asked does not cut. ``error``: why it could not be asked, and then nothing else counts.
    """

    taken: tuple[int, ...] = ()
    partitions: int | None = None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One answer for each model, and by what they were given (``XNNPACK in ai-edge-litert 2.3.0``)."""

    answers: tuple[Answer, ...]
    described: str


def ask(delegate: str, models: Sequence[bytes]) -> Answers:
    """The answers of ``xnnpack`` or ``gpu`` (names of ``delegates_child``).

    Raises MissingError EC190 for what is not there, EC757 for a TensorFlow whose checker does not check,
    and EC756 where the process dies in which all models are asked.
    """
    names = _XNNPACK if delegate == "xnnpack" else ("tensorflow",)
    found = {runtime.name: runtime for runtime in litert.runtimes() if runtime.available}
    runtime = next((found[name] for name in names if name in found), None)
    if runtime is not None and delegate == "gpu" and _release(runtime.version) >= _NOT_CHECKING_SINCE:
        raise missing(
            "EC757",
            "this TensorFlow's Analyzer no longer checks for the GPU delegate: it calls every model compatible",
            notes=(f"limit: TensorFlow below 2.19, found {runtime.version}", "source: tensorflow issue 77042"),
            help=("ask one in an environment of its own: pip install 'tensorflow-cpu==2.17.1' (Python 3.9 to 3.12)",),
        )
    if runtime is None:
        raise missing_library(names[0], f"to ask the {delegate} delegate here", names[0])
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as folder:
        paths = [Path(folder) / f"{position}.tflite" for position in range(len(models))]
        for path, content in zip(paths, models, strict=True):
            path.write_bytes(content)
        arguments = {"paths": [str(path) for path in paths], "runtime": runtime.name}
        given = child.call(f"edgecompile.libs.delegates_child:{delegate}", arguments, environment=_QUIET, crash=_DIED)
    described = f"XNNPACK in {runtime}" if delegate == "xnnpack" else f"the Analyzer of {runtime}"
    return Answers(answers=tuple(answer_of(one) for one in given), described=described)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def answer_of(plain: Mapping[str, object]) -> Answer:
    """An answer from plain JSON, as ``delegates_child`` gives it."""
    taken, partitions = plain.get("taken", []), plain.get("partitions")
    return Answer(
        taken=tuple(int(index) for index in taken) if isinstance(taken, list) else (),
        partitions=partitions if isinstance(partitions, int) else None,
        error=str(plain.get("error", "")),
    )
