"""The samples that surgery looks at: calibration samples, else training samples, else none."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.core.diagnostic import Diagnostic, Severity

Array = np.ndarray[Any, Any]


def samples_for(context: Context, most: int, step: str, without: str) -> tuple[Array, ...] | None:
    """At most ``most`` samples, one array for each input; None where there are none, with EC335 in the diagnostics.

    Training samples are taken where there are more of them than of calibration samples; spread evenly. ``without``
    says what ``step`` does instead.
    """
    given = [one for one in (context.calibration, context.train) if one is not None and len(one)]
    if not given:
        context.diagnostics.append(
            Diagnostic(
                code="EC335",
                message=f"`{step}` has no samples to look at",
                severity=Severity.WARNING,
                notes=(without,),
                help=("give calibration or training samples with `--data`",),
            )
        )
        return None
    chosen = max(given, key=len) if len(given[0]) < most else given[0]
    places = np.linspace(0, len(chosen) - 1, min(most, len(chosen))).round().astype(int)
    return tuple(np.asarray(part, dtype=np.float32) for part in chosen.take(places).x)
