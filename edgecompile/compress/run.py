"""Run a recipe's passes one after the other, hold each to its promise, and write down what it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.contract import Pass
from edgecompile.compress.record import Record, measure
from edgecompile.compress.simulate.run import reals
from edgecompile.compress.simulate.run import run as simulate
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import internal
from edgecompile.core.units import counted

Array = np.ndarray[Any, Any]
# Scores along the way are for the table; that many samples tell a point from another.
MOST_SCORED = 2000
_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Named:
    """A pass with its options, under the words that the report calls it by."""

    title: str
    one: Pass


def run(
    subject: Subject,
    steps: Sequence[Named],
    context: Context,
    forms: Mapping[str, Sequence[str]],
    told: Callable[[Record], None],
) -> Subject:
    """The subject after all steps; ``told`` hears of each.

    Raises what passes raise, and InternalError EC307 when one does not hold what it promised.
    """
    for step in steps:
        started = time.monotonic()
        context.progress.begin("Compress", step.title)
        before, subject = subject, step.one.run(subject, replace(context, step=step.title))
        broken = step.one.ensures(before, subject)
        if any(diagnostic.severity is Severity.ERROR for diagnostic in broken):
            raise internal("EC307", f"`{step.title}` did not keep its promise: {broken[0].message}")
        context.diagnostics.extend(broken)
        duration_s = time.monotonic() - started
        record = record_of(step.title, subject, context, forms, duration_s)
        context.sensitivities.clear()
        context.progress.end(", ".join([line(record), *_taken_over(context)]))
        told(record)
    return subject


def _taken_over(context: Context) -> list[str]:
    """What of the step was on the disk already. Said in passing, so no part of a report."""
    found = list(dict.fromkeys(context.taken_over))
    context.taken_over.clear()
    return [f"taken over from an earlier run: {' and '.join(found)}"] if found else []


def record_of(
    title: str, subject: Subject, context: Context, forms: Mapping[str, Sequence[str]], duration_s: float = 0.0
) -> Record:
    """The figures of a subject as a step leaves it, its score on validation samples among them."""
    some = _to_score_by(context)
    score, samples = scored(subject, context), None if some is None else len(some)
    return measure(title, subject, forms, score, duration_s, context.sensitivities, samples)


def scored(subject: Subject, context: Context) -> float | None:
    """The score of a subject on validation samples, simulated; None where there is nothing to score with."""
    some = _to_score_by(context)
    if context.score is None or some is None:
        return None
    return context.score.of(outputs(subject, some), some)


def _to_score_by(context: Context) -> Samples | None:
    samples = context.validation
    if samples is None or not len(samples):
        return None
    return samples.take(slice(0, MOST_SCORED)) if len(samples) > MOST_SCORED else samples


def outputs(subject: Subject, samples: Samples) -> list[Array]:
    """Real-valued outputs of the subject's network, samples first."""
    network = subject.network
    return list(simulate(network, reals(network, samples.x), _BATCH, held=subject.held)[0])


def line(record: Record) -> str:
    """A record in a line: ``0.8812 on 2 000 validation samples, 50 % zeros, 16 values, 24 452 parameters``."""
    parts = (
        [] if record.score is None else [f"{record.score:.4f} on {counted(record.samples or 0, 'validation sample')}"]
    )
    parts += [f"{100 * record.sparsity:.0f} % zeros"] if record.sparsity >= 0.01 else []
    parts += [counted(record.distinct, "value")] if record.distinct < 128 else []
    return ", ".join([*parts, counted(record.parameters, "parameter")])
