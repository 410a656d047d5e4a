"""When training ends early: no better score for so long that none is to be expected."""

from __future__ import annotations

from edgecompile.compress.training.options import Training
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.units import counted

# Epochs that always pass: scores of so few say little.
_LEAST = 8
_SHARE = 4  # of all epochs


def runs_out(how: Training, epoch: int, waited: int) -> bool:
    """Whether training ends after ``epoch`` epochs, the last ``waited`` of them without a better score.

    Where nobody gave a patience it is a quarter of the epochs, at least ``_LEAST``. A cosine's scores get better by
    themselves as the learning rate falls, so that waiting counts there from half of the way on: a run of 16 epochs or
    fewer goes to its end, one of 40 ends after 30 at the earliest.
    """
    if how.patience is not None:
        return 0 < how.patience <= waited
    first = how.epochs // 2 if how.schedule == "cosine" else 0
    return min(waited, epoch - first) >= max(_LEAST, how.epochs // _SHARE)


def ended_early(how: Training, epoch: int, best_epoch: int) -> Diagnostic:
    """EC328: what was left out, and why."""
    return Diagnostic(
        code="EC328",
        message=f"training ended after epoch {how.epoch(epoch)}: the score got no better",
        severity=Severity.NOTE,
        notes=(
            f"best after epoch {how.before + best_epoch}; "
            f"waited {counted(epoch - best_epoch, 'epoch')} for a better one",
        ),
        help=("`patience = 0` trains to the end",),
    )
