"""Which weight tensors a step touches, and the samples that it looks at."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.sites import Site, sites_of
from edgecompile.compress.structure.samples import samples_for
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean, rejected
from edgecompile.core.units import counted
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network

# Enough that moments settle: more changed no accuracy of ResNet-8 beyond noise.
SAMPLES = 512
_SHOWN = 12


def layers(network: Network, skip: Sequence[str], step: str) -> tuple[Site, ...]:
    """The sites of a float network whose names match none of ``skip`` (regular expressions, found anywhere in a name).

    Raises BadInputError EC322 for what is no regular expression or matches no layer; RejectedError EC320 where nothing
    is left.
    """
    main = network.main
    sites = tuple(site for site in sites_of(network) if main.tensors[site.weights].dtype == "float32")
    if not sites:
        raise rejected(
            "EC320",
            f"`{step}` finds no weights that it could change",
            Location(detail=f"`{step}`"),
            (f"the network has {counted(len(main.operators), 'operator')}, none with float weights of its own",),
            (f"take `{step}` out of the recipe",),
        )
    dropped = {site.key for pattern in skip for site in _matching(sites, pattern, step)}
    left = tuple(site for site in sites if site.key not in dropped)
    if not left:
        raise rejected(
            "EC320",
            f"`{step}` may touch no layer: `skip` names them all",
            Location(detail=f"`{step}`, `skip`"),
            (f"layers with weights: {len(sites)}; skipped: {len(dropped)}",),
            ("take a pattern out of `skip`", f"or take `{step}` out of the recipe"),
        )
    return left


def samples(context: Context, step: str, without: str) -> Samples | None:
    """Some samples without labels; None, and EC335 in the diagnostics, where there are none."""
    x = samples_for(context, SAMPLES, step, without)
    return None if x is None else Samples(x=x)


def _matching(sites: Sequence[Site], pattern: str, step: str) -> list[Site]:
    try:
        found = [site for site in sites if any(re.search(pattern, name) for name in site.names)]
    except re.error as error:
        escaped = json.dumps(re.escape(pattern))
        raise _unfit(
            step,
            pattern,
            f"it is no regular expression: {error}",
            (f"where these characters are meant as they stand: `skip = [{escaped}]`",),
        ) from None
    if not found:
        known = tuple(dict.fromkeys(short_name(site.key) for site in sites))
        raise _unfit(step, pattern, _named(known), _instead(pattern, step, known, sites))
    return found


def _named(known: Sequence[str]) -> str:
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"layers with weights are named {', '.join(f'`{name}`' for name in known[:_SHOWN])}{more}"


def _instead(pattern: str, step: str, known: Sequence[str], sites: Sequence[Site]) -> tuple[str, ...]:
    """What to type: the near name, else how a pattern is written; and the way without one."""
    parts = {part for site in sites for name in site.names for part in re.split("[;/]", name)}
    name = json.dumps(re.escape(known[0]))
    written = f"write a part of a name, as in `skip = [{name}]`; a pattern is looked for anywhere in it"
    return (
        *(did_you_mean(pattern, parts) or (written,)),
        f"or take the pattern out of `skip`: then `{step}` changes that layer, too",
    )


def _unfit(step: str, pattern: str, note: str, help: tuple[str, ...]) -> EdgecompileError:
    return bad_input(
        "EC322",
        f"`{pattern}` in `skip` of `{step}` matches no layer",
        Location(detail=f"`{step}`, `skip`"),
        (note,),
        help,
    )
