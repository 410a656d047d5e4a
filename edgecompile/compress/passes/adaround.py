"""Choose for each weight whether it is rounded up or down, by what the layer gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.integers import real_weights, scales_of, write_weights
from edgecompile.compress.kept import kept_if_better
from edgecompile.compress.oneshot import columns
from edgecompile.compress.oneshot.moments import Moments
from edgecompile.compress.option import option
from edgecompile.compress.origin import calibration_of, origin_of
from edgecompile.compress.paired import Paired
from edgecompile.compress.passes.bias_correct import mean_bias
from edgecompile.compress.rounding import STEPS, round_adaptively
from edgecompile.compress.sites import Site, as_rows, from_rows, weights_of
from edgecompile.compress.subject import NOTHING, Held, Subject
from edgecompile.core.errors import rejected
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Adaround(Harmless):
    """Adaptive rounding: each layer's outputs on calibration samples change least; biases are corrected.

    Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020. Needs no labels;
    zeros stay, shared weights are left alone.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "quantized"

    iterations: int = option(STEPS, "steps of the optimizer for each layer", minimum=1)
    choose: bool = option(True, "keep it only where validation samples score no worse")

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with other integers. Raises EC340, EC341, and EC345 where every tensor's integers are bound."""
        floats = origin_of(subject, "adaround").network
        paired = Paired(subject, floats, calibration_of(context, "adaround"), context.seed)
        network, held = subject.network, dict(subject.held)
        pairs = [pair for pair in paired.sites() if not held.get(pair[0].key, NOTHING).centroids]
        if not pairs:
            raise rejected(
                "EC345",
                "`adaround` finds no weights that it may round",
                notes=["weights of convolutions and dense layers that are used once and not shared", "found: none"],
                help=["take `adaround` out of the recipe"],
            )
        for done, (site, twin) in enumerate(pairs):
            context.progress.update(done, len(pairs), f"rounding `{short_name(site.key)}`")
            seen = paired.moments(site, twin)
            promise = held.get(site.key, NOTHING)
            codes = self._codes(network, site, floats, twin, seen, promise)
            scales = scales_of(network, site)
            network = write_weights(network, site, codes, scales, None)
            bias = mean_bias(network, site, floats, twin, seen)
            network = write_weights(network, site, codes, scales, bias)
            if promise.codes is not None:
                held[site.key] = replace(promise, codes=codes)
            paired.replace(network, site)
        changed = replace(subject, network=network, held=held)
        return kept_if_better(subject, changed, context, "adaround") if self.choose else changed

    def _codes(self, network: Network, site: Site, floats: Network, twin: Site, seen: Moments, held: Held) -> Array:
        stored = weights_of(network, site)
        centred = site.bias is not None
        hessian = seen.hessian(centred)
        whole = columns.damped(hessian)
        groups, columns_count = len(whole), whole.shape[2]
        original = as_rows(real_weights(floats, twin).astype(np.float64), site.axis).reshape(groups, -1, columns_count)
        wanted = (original @ (seen.cross(centred) + whole - hessian)) @ np.linalg.inv(whole)
        scales = np.broadcast_to(scales_of(network, site).astype(np.float64), (stored.shape[site.axis or 0],))
        fixed = np.zeros(stored.shape, bool) if held.zeros is None else held.zeros
        found = round_adaptively(
            wanted,
            scales.reshape(groups, -1),
            whole,
            2 ** (held.bits - 1) - 1,
            as_rows(fixed, site.axis).reshape(wanted.shape),
            self.iterations,
        )
        return np.ascontiguousarray(from_rows(found.reshape(-1, columns_count), stored.shape, site.axis))
