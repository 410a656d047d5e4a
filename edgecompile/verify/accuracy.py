"""The task metric of artifact and float model, and the drop that was allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import bad_input
from edgecompile.core.project import Accuracy
from edgecompile.core.report import Measure
from edgecompile.core.units import counted
from edgecompile.libs.litert import Outputs
from edgecompile.verify.confusion import confusion
from edgecompile.verify.metric import Score, check_metric, infer, score

Array = np.ndarray[Any, Any]
# Shares of one: told in percent points.
_SHARES = frozenset({"top1", "auc", "miou"})
# A drop that equals the limit is within it, whatever the last bit of the subtraction says.
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """What is run and held against: inputs, labels (or none), and whether they are real data."""

    x: tuple[Array, ...]
    y: tuple[Array, ...]
    held_out: bool
    base: Path


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Measures ``metric`` and ``metric_float``, and EC710 where the drop is too large."""

    measures: tuple[Measure, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()


def held(
    outputs: Outputs, reference: Sequence[Array] | None, samples: Samples, accuracy: Accuracy, name: str
) -> Scored:
    """Score both, hold the drop against ``accuracy.max_drop``.

    Without a metric named, labels suggest one (``metric.infer``); without labels there is
    nothing to score, but for mse, which then compares with the inputs. Raises BadInputError EC714, EC715, EC716,
    and EC717 when a limit is set that cannot be checked.
    """
    check_metric(accuracy.metric)
    real = outputs.real()
    metric = _metric(accuracy, samples, real)
    lacking = _lacking(metric, reference, samples)
    if lacking and accuracy.max_drop is not None:
        raise uncheckable(accuracy.max_drop, lacking)
    if metric is None:
        if accuracy.metric:
            return Scored(diagnostics=(_unmeasured(accuracy.metric, lacking),))
        if not samples.held_out or not samples.y:
            return Scored()
        told = _unlike(len(samples.y)) if len(samples.y) > 1 else _unfit(samples.y[0], real[0])
        return Scored(diagnostics=(told,))
    found = score(metric, samples.y, real, samples.x, samples.base)
    wanted = score(metric, samples.y, reference, samples.x, samples.base) if reference is not None else None
    limit = _limit(wanted, accuracy.max_drop)
    kind = counted(outputs.samples, "held-out sample")
    measures = [_measure("metric", found, metric, f"measured: {outputs.described}, {kind}", limit)]
    if wanted is not None:
        measures.append(_measure("metric_float", wanted, metric, f"measured: the float model, {kind}", None))
    details: dict[str, Any] = {}
    if counts := confusion(samples.y, real, reference):
        details["confusion"] = counts
    if len(found.per_output) > 1:
        rows = zip(outputs.outputs, found.per_output, strict=False)
        details["scores"] = [{"output": port.name, metric: value} for port, value in rows]
    return Scored(
        measures=tuple(measures), details=details, diagnostics=_over(found, wanted, limit, metric, accuracy, name, kind)
    )


def _metric(accuracy: Accuracy, samples: Samples, real: Sequence[Array]) -> str | None:
    if not samples.held_out:
        return None
    if accuracy.metric is None:
        return infer(samples.y, real)
    return accuracy.metric if samples.y or accuracy.metric == "mse" else None


def _measure(name: str, score: Score, metric: str, method: str, limit: float | None) -> Measure:
    return Measure(name=name, value=score.value, unit=metric, method=method, limit=limit)


def _limit(wanted: Score | None, max_drop: float | None) -> float | None:
    """The worst value within the limit, in the metric's unit."""
    if wanted is None or max_drop is None:
        return None
    return wanted.value - max_drop if wanted.higher_is_better else wanted.value + max_drop


def _over(
    found: Score, wanted: Score | None, limit: float | None, metric: str, accuracy: Accuracy, name: str, kind: str
) -> tuple[Diagnostic, ...]:
    if wanted is None or limit is None or accuracy.max_drop is None:
        return ()
    drop = wanted.value - found.value if found.higher_is_better else found.value - wanted.value
    if drop <= accuracy.max_drop + _ROUNDING:
        return ()
    diagnostic = Diagnostic(
        code="EC710",
        message=f"the artifact's {metric} is worse than the float model's by more than was allowed",
        location=Location(file=name),
        notes=(
            f"found: {_shown(found.value, metric)}, the float model {_shown(wanted.value, metric)}, on {kind}",
            f"limit: worse by {_drop(accuracy.max_drop, metric)}, found: {_drop(drop, metric)}",
        ),
        help=(
            "calibrate on more and more typical samples, or with `--calibration percentile` or `mse`",
            "numerics `int16x8` keep more of the model where the target takes them",
            "`--max-accuracy-drop` sets the limit",
        ),
    )
    return (diagnostic,)


def _shown(value: float, metric: str) -> str:
    return f"{100 * value:.2f} %" if metric in _SHARES else f"{value:.6g}"


def _drop(value: float, metric: str) -> str:
    return f"{100 * value:.2f} points" if metric in _SHARES else f"{value:.4g}"


def _lacking(metric: str | None, reference: Sequence[Array] | None, samples: Samples) -> str:
    """Why artifact and float model cannot both be scored; empty when they can."""
    if not samples.held_out:
        return "there is no data, only noise"
    if metric is None:
        return "the labels suggest no metric" if samples.y else "the data has no labels"
    return "" if reference is not None else "there is no float model to compare with"


def uncheckable(max_drop: float, why: str) -> Exception:
    """EC717, to be raised: a limit that is set, and why it cannot be checked."""
    return bad_input(
        "EC717",
        "the limit on the accuracy drop cannot be checked",
        "[accuracy] max_drop",
        notes=(f"limit: {max_drop:g}", why),
        help=("give data with labels (y_test), or name the `metric`, or leave the limit out",),
    )


def _unlike(outputs: int) -> Diagnostic:
    return _without_metric(
        Severity.NOTE,
        "the labels suggest none that suits all outputs",
        found=f"outputs with labels: {outputs}, of unlike kinds (classes and values, say)",
        help=('a function of yours is asked for each output: `metric = "module:function"`',),
    )


def _unfit(truth: Array, output: Array) -> Diagnostic:
    return _without_metric(
        Severity.WARNING,
        "the labels do not go with the output",
        found=f"found: labels of shape {list(truth.shape)}, the output has {list(output.shape)}",
        help=(
            "labels are class indices from 0, one-hot rows, or values of the output's shape",
            'or give a function of yours: `metric = "module:function"`',
        ),
    )


def _without_metric(severity: Severity, why: str, *, found: str, help: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        code="EC717",
        severity=severity,
        message=f"no metric was measured: {why}",
        location=Location(file="[accuracy] metric"),
        notes=(found,),
        help=help,
    )


def _unmeasured(metric: str, why: str) -> Diagnostic:
    return Diagnostic(
        code="EC717",
        severity=Severity.WARNING,
        message=f"the metric `{metric}` was not measured",
        location=Location(file="[accuracy] metric"),
        notes=(why,),
        help=("give data with labels (y_test)",),
    )
