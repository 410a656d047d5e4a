"""Flags in the words of who typed them: options by their own names, points as points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import BadInputError, bad_input

_ALL_POINTS = 100.0
# Those that are not called as their setting.
_ODD = {"model": "MODEL", "targets": "--target"}


def share_of(points: float, metric: str | None) -> float:
    """`--max-accuracy-drop` in the metric's unit: a share is given in points, an error or a user's score as it is.

    Raises BadInputError EC125 for fewer than none, and more points than there are.
    """
    is_share = not (metric == "mse" or (metric is not None and ":" in metric))
    most = _ALL_POINTS if is_share else math.inf
    if 0 <= points <= most and math.isfinite(points):
        return points / _ALL_POINTS if is_share else points
    limit = f"0 to {most:g} points, 1 point being 0.01 of the score" if is_share else f"0 or more, as `{metric}` counts"
    raise bad_input(
        "EC125",
        "`--max-accuracy-drop` has a value that is not allowed",
        Location(file="command line", detail="`--max-accuracy-drop`"),
        notes=(f"limit: {limit}", f"found: {points:g}"),
        help=(
            f"say how much worse the score may be, as in `--max-accuracy-drop {1 if is_share else 0.1:g}`",
            *(("an error is not a share: name it with `--metric mse`",) if metric is None and points > most else ()),
        ),
    )


@contextmanager
def flags_as_typed(flags: Mapping[str, str]) -> Iterator[None]:
    """Within it, what is said of a setting on the command line names the flag; ``flags`` has it by the setting."""
    try:
        yield
    except BadInputError as error:
        raise BadInputError(*(_as_typed(one, flags) for one in error.diagnostics)) from None


def _as_typed(one: Diagnostic, flags: Mapping[str, str]) -> Diagnostic:
    place = one.location
    if place is None or place.file != "command line" or not place.detail:
        return one
    setting = place.detail.strip("`")
    if setting.startswith("-"):
        return one
    name = flags.get(setting, setting)
    flag = f"`{_ODD.get(name) or '--' + name.replace('_', '-')}`"
    message = one.message.replace(f"`{setting}`", flag)
    return replace(one, message=message, location=replace(place, detail=flag))
