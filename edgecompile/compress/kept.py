"""Keep what a step did only where validation samples speak for it."""

from __future__ import annotations

from edgecompile.compress.context import Context
from edgecompile.compress.run import scored
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic, Severity


def kept_if_better(before: Subject, after: Subject, context: Context, step: str) -> Subject:
    """``after`` unless it scores worse on validation samples than ``before``; without a score ``after``.

    Adds EC348 to ``context.diagnostics``, with both scores.
    """
    old, new = scored(before, context), scored(after, context)
    if old is None or new is None or context.score is None:
        return after
    worse = context.score.better(old, new)
    context.diagnostics.append(
        Diagnostic(
            code="EC348",
            message=f"what `{step}` changed is {'taken back: validation samples score worse' if worse else 'kept'}",
            severity=Severity.NOTE,
            notes=(f"{context.score.name} on validation samples: before {old:.4f}, after {new:.4f}",),
            help=("`choose = false` keeps it all the same",) if worse else (),
        )
    )
    return before if worse else after
