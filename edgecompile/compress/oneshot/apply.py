"""One-shot compression of a subject: what the samples allow, and the better of two ends by the project's score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.oneshot.kept import once
from edgecompile.compress.oneshot.rematch import rematch
from edgecompile.compress.oneshot.sequence import Plan, one_shot
from edgecompile.compress.run import scored
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import RejectedError


def apply(subject: Subject, plans: Mapping[str, Plan], samples: Samples | None, context: Context, step: str) -> Subject:
    """The subject compressed by ``plans`` (by site key), its outputs matched to what they were.

    Channel statistics are matched as well where that scores better on validation samples. Without ``samples``, or where
    some operator cannot be computed here (EC326 in the diagnostics), weights go by themselves alone.
    What samples decided is kept in ``context.folder``.
    """
    if samples is not None:
        try:
            return once(subject, plans, samples, context, lambda: _matched(subject, plans, samples, context))
        except RejectedError as error:
            if error.diagnostics[0].code != "EC350":
                raise
            context.diagnostics.append(_by_weights(step, error.diagnostics[0]))
    network, held = one_shot(subject.network, plans, None, subject.held, seed=context.seed)
    return replace(subject, network=network, held=held)


def _matched(subject: Subject, plans: Mapping[str, Plan], samples: Samples, context: Context) -> Subject:
    network, held = one_shot(
        subject.network, plans, samples, subject.held, seed=context.seed, progress=context.progress
    )
    plain = replace(subject, network=network, held=held)
    before = scored(plain, context)
    if before is None or context.score is None:
        return plain
    network, held = rematch(network, held, subject.network, samples, context.seed)
    stretched = replace(subject, network=network, held=held)
    after = scored(stretched, context)
    return stretched if after is not None and context.score.better(after, before) else plain


def _by_weights(step: str, cause: Diagnostic) -> Diagnostic:
    return Diagnostic(
        code="EC326",
        message=f"`{step}` judges weights by their size alone",
        severity=Severity.WARNING,
        location=cause.location,
        notes=(cause.message, "what layers read on samples cannot be computed, so no weight makes up for another"),
        help=cause.help[:1],
    )
