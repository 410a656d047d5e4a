"""Take out of each layer's outputs the mean error that quantization put in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.integers import real_weights, scales_of, write_weights
from edgecompile.compress.kept import kept_if_better
from edgecompile.compress.oneshot.moments import Moments
from edgecompile.compress.option import option
from edgecompile.compress.origin import calibration_of, origin_of
from edgecompile.compress.paired import Paired
from edgecompile.compress.sites import Site, as_rows, bias_of, weights_of
from edgecompile.compress.subject import Subject
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class BiasCorrect(Harmless):
    """Correct biases so that each layer's mean outputs are those of the float model, on calibration samples.

    Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.2
    and appendix D: empirically, layer by layer, with what corrected layers in front give.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "quantized"

    choose: bool = option(True, "keep it only where validation samples score no worse")

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with other biases. Raises EC340 without the float model, EC341 without calibration samples."""
        floats = origin_of(subject, "bias_correct").network
        paired = Paired(subject, floats, calibration_of(context, "bias_correct"), context.seed)
        network = subject.network
        for site, twin in paired.sites():
            bias = mean_bias(network, site, floats, twin, paired.moments(site, twin))
            if bias is not None:
                network = write_weights(network, site, weights_of(network, site), scales_of(network, site), bias)
                paired.replace(network, site)
        changed = replace(subject, network=network)
        return kept_if_better(subject, changed, context, "bias_correct") if self.choose else changed


def mean_bias(network: Network, site: Site, floats: Network, twin: Site, seen: Moments) -> Array | None:
    """The float bias with which the layer gives its twin's means, b + W·E[x] - Q·E[x̂]; None without one."""
    bias = bias_of(floats, twin)
    if bias is None or site.bias is None:
        return None
    mine, theirs = (
        as_rows(weights.astype(np.float64), site.axis).reshape(len(seen.x), -1, seen.x.shape[1])
        for weights in (real_weights(network, site), real_weights(floats, twin))
    )
    wanted = (theirs @ (seen.y / seen.count)[:, :, None]).reshape(-1)
    given = (mine @ (seen.x / seen.count)[:, :, None]).reshape(-1)
    corrected: Array = (bias + wanted - given).astype(np.float32)
    return corrected
