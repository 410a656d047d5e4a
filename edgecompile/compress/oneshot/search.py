"""How many zeros a network can spare: the largest share whose one-shot result loses no more than stated."""

from __future__ import annotations

from collections.abc import Callable

from edgecompile.compress.context import Context
from edgecompile.compress.run import scored
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic, Severity

_TRIES = 5  # behind the first: 1/32 of the range
WITHOUT_SCORE = 0.5


def most_zeros(
    subject: Subject, make: Callable[[float], Subject], most: float, allowed: float, context: Context
) -> Subject:
    """The subject that ``make`` gives for the largest share of zeros, up to ``most``, that scores well enough.

    ``allowed`` is how much worse than ``subject`` it may score on validation samples, in the unit of the score; nothing
    is trained. The search is a bisection, so it takes the score for one that falls as zeros grow. Adds EC327 (note)
    with what was found; as a warning where there is no score, and half of the weights become zero at most, or where
    even the smallest share loses too much, and the subject comes back as it was.
    """
    before = scored(subject, context)
    if before is None or context.score is None:
        share = min(most, WITHOUT_SCORE)
        context.diagnostics.append(_unmeasured(share))
        return make(share)
    sign = 1.0 if context.score.higher_is_better else -1.0
    low, high, best, drop, share = 0.0, most, subject, 0.0, most
    for place in range(_TRIES + 1):
        context.progress.update(place, _TRIES + 1, f"{100 * share:.0f} % zeros")
        found = make(share)
        lost = sign * (before - (scored(found, context) or 0.0))
        if lost <= allowed:
            low, best, drop = share, found, lost
            if share == most:
                break
        else:
            high = share
        share = (low + high) / 2
    context.diagnostics.append(_told(low, high, drop, allowed, context.score.name))
    return best


def _told(share: float, beyond: float, drop: float, allowed: float, score: str) -> Diagnostic:
    notes = (
        f"{score} on validation samples, before any training: {drop:.4f} worse; allowed: {allowed:g}",
        f"{100 * beyond:.1f} % lose more" if beyond > share else "no more than `sparsity` were asked for",
    )
    if share > 0:
        message = f"`prune` makes {100 * share:.1f} % of the weights zero: what `max_drop` allows"
        return Diagnostic(code="EC327", message=message, severity=Severity.NOTE, notes=notes)
    return Diagnostic(
        code="EC327",
        message="`prune` makes nothing zero: the least it tried loses more than `max_drop` allows",
        severity=Severity.WARNING,
        notes=(f"limit: {allowed:g}; {100 * beyond:.1f} % of zeros lose more",),
        help=("allow more: training brings much of it back", "or prune without a pattern, which loses less"),
    )


def _unmeasured(share: float) -> Diagnostic:
    return Diagnostic(
        code="EC327",
        message=f"`max_drop` cannot be measured: `prune` makes {100 * share:.0f} % of the weights zero",
        severity=Severity.WARNING,
        notes=("the score is measured on labelled validation samples; found: none",),
        help=("give labels, or `sparsity` without `max_drop`",),
    )
