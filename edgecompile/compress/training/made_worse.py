"""Tell that training made a network worse, so that the one from before it is kept; and which rate to try."""

from __future__ import annotations

from edgecompile.compress.training.judge import Judge
from edgecompile.compress.training.options import Training
from edgecompile.core.diagnostic import Diagnostic, Location, Severity

CODE = "EC336"


def lower_rate(how: Training) -> float:
    """A tenth of the learning rate that was asked for, and no more than the pass has by itself."""
    return min(how.as_asked.learning_rate / 10, how.usual_rate)


def made_worse(
    how: Training, step: str, judge: Judge, before: float | None, best: float | None, *, proven: bool
) -> Diagnostic:
    """EC336, of the score ``before`` training and the ``best`` of its epochs.

    A note where the held-out samples are too few to tell harm from chance, unless it is ``proven``.
    """
    epochs = f"epochs {how.before + 1} to {how.epoch(how.epochs)}" if how.asked and how.epochs > 1 else "training"
    epochs = f"epoch {how.epoch(1)}" if how.asked and how.epochs == 1 else epochs
    samples = len(judge.samples or ())
    return Diagnostic(
        code=CODE,
        message=f"{epochs} made the network no better: the one from before is kept",
        severity=Severity.WARNING if proven or judge.score is None else Severity.NOTE,
        location=Location(detail=f"`{step}`") if step else None,
        notes=(
            f"{judge.name} on {samples} held-out samples: {_shown(before)} before, {_shown(best)} at its best after it",
            f"learning rate {how.as_asked.learning_rate:g}; the pass has {how.usual_rate:g} by itself",
        ),
        help=(f"lower it: `learning_rate = {lower_rate(how):g}`", "or give more training samples"),
    )


def tell_once(told: Diagnostic, diagnostics: list[Diagnostic]) -> None:
    """Add it, unless a run before this one of the same step has told the same."""
    if all((one.code, one.location) != (told.code, told.location) for one in diagnostics):
        diagnostics.append(told)


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.4f}"
