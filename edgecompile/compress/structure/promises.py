"""What earlier passes promised of weights that surgery left as they were."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgecompile.compress.sites import sites_of, weights_of
from edgecompile.compress.subject import Held, Subject
from edgecompile.ir.network import Network


def still_held(before: Subject, network: Network) -> Mapping[str, Held]:
    """The promises of ``before`` for the sites whose weights ``network`` has unchanged; the others are void."""
    old = {site.key: weights_of(before.network, site) for site in sites_of(before.network)}
    new = {site.key: weights_of(network, site) for site in sites_of(network)}
    return {
        key: held
        for key, held in before.held.items()
        if key in old and key in new and np.array_equal(old[key], new[key])
    }
