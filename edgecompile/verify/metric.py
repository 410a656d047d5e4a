"""Find a metric by name, and score outputs with it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edgecompile.core.errors import BadInputError, bad_input, did_you_mean
from edgecompile.core.registry import modules_of
from edgecompile.libs import child
from edgecompile.libs.arrays import save_array
from edgecompile.verify.scoring import Unscorable, is_labels

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A metric's value for one set of outputs: the mean over the outputs that have labels."""

    value: float
    higher_is_better: bool
    per_output: tuple[float, ...]


def check_metric(name: str | None) -> None:
    """Refuse a metric that does not exist, before anything was computed. Raises BadInputError EC714."""
    if name is None or ":" in name:
        return
    known = _shipped()
    if name not in known:
        raise bad_input(
            "EC714",
            f"there is no metric `{name}`",
            "[accuracy] metric",
            notes=(f"metrics: {', '.join(known)}, or `module:function` of your own",),
            help=did_you_mean(name, known),
        )


def rises(name: str) -> bool:
    """Whether more is better, for a shipped metric."""
    return bool(_shipped()[name].HIGHER_IS_BETTER)


def infer(truth: Sequence[Array], outputs: Sequence[Array]) -> str | None:
    """The metric that labels suggest: top1 where they name classes, mse where they are values, None without any.

    None, too, where outputs are of unlike kinds: one metric has to do for all.
    """
    suggested = {_suggested(*pair) for pair in zip(truth, outputs, strict=False)}
    return suggested.pop() if len(suggested) == 1 else None


def _suggested(truth: Array, output: Array) -> str | None:
    if is_labels(truth, output):
        return "top1"
    return "mse" if truth.size == output.size else None


def score(name: str, truth: Sequence[Array], outputs: Sequence[Array], inputs: Sequence[Array], base: Path) -> Score:
    """Score real-valued ``outputs``; ``truth`` may be empty (mse then compares with the inputs).

    A ``module:function`` is looked for in ``base`` first and called as ``function(y_true,
    y_pred) -> float`` in a process of its own; an attribute ``higher_is_better = False`` of it
    says that less is more. Raises BadInputError EC714 unknown, EC715 labels do not go with
    the output, EC716 the function cannot be used.
    """
    check_metric(name)
    pairs = list(zip(truth, outputs, strict=False)) if truth else [(None, output) for output in outputs[:1]]
    if ":" in name:
        return _users(name, pairs, base)
    metric = _shipped()[name]
    values = []
    for index, pair in enumerate(pairs):
        try:
            values.append(metric.score(*pair, inputs[min(index, len(inputs) - 1)]))
        except Unscorable as error:
            which = f" (output {index + 1} of {len(pairs)})" if len(pairs) > 1 else ""
            raise unscorable(name, f"{error}{which}") from error
    return Score(value=float(np.mean(values)), higher_is_better=metric.HIGHER_IS_BETTER, per_output=tuple(values))


def unscorable(name: str, why: str) -> BadInputError:
    """EC715; to be raised by the caller."""
    error = bad_input(
        "EC715",
        f"the metric `{name}` cannot be computed on this data",
        "[accuracy] metric",
        notes=(why,),
        help=(
            "labels are class indices from 0, one-hot rows, or values of the output's shape",
            "another `metric` may be meant: " + ", ".join(_shipped()),
        ),
    )
    assert isinstance(error, BadInputError)
    return error


def _shipped() -> dict[str, ModuleType]:
    return {module.NAME: module for module in modules_of("edgecompile.verify.metrics")}


def _users(name: str, pairs: Sequence[tuple[Array | None, Array]], base: Path) -> Score:
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as folder:
        for index, (truth, output) in enumerate(pairs):
            if truth is None:
                raise unscorable(name, "there are no labels")
            save_array(Path(folder) / f"truth_{index}.npy", truth)
            save_array(Path(folder) / f"output_{index}.npy", output)
        answer = child.call(
            "edgecompile.verify.user_metric:score",
            {"entry": name, "base": str(base), "folder": folder, "count": len(pairs)},
            crash=child.Crash(
                code="EC716",
                message=f"the metric `{name}` did not survive",
                help=("run the function by itself in Python",),
                error=BadInputError,
            ),
        )
    values = tuple(answer["values"])
    return Score(value=float(np.mean(values)), higher_is_better=answer["higher_is_better"], per_output=values)
