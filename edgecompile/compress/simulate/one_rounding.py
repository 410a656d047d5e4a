"""Sums of products as the whole numbers that a kernel has, and one rounding behind them, in float32 as XNNPACK does it.

A simulation sums real numbers in float32, whose noise moves one of a hundred thousand results across a half. A deep
network with gates (squeeze and excitation) makes thousands of other integers of such a one. The sum is a multiple of
the input's scale times the weights': brought back to it, it is the kernel's, which multiplies it in float32 and rounds
halves to even (XNNPACK, qs8-qc8w-gemm, "fp32" requantization).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.simulate.quantizers import is_quantized
from edgecompile.compress.simulate.two_roundings import steps_of_sums
from edgecompile.compress.sites import Site
from edgecompile.ir.network import Subgraph

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """``units``: what one of the sum stands for, one or one a channel; ``factors``: from sums to the output's steps."""

    units: Array
    factors: Array
    step: float


def sums_of(main: Subgraph, sites: Iterable[Site], steps: Iterable[int]) -> dict[int, Sums]:
    """By operator that multiplies weights and gives int8."""
    weighted = {number: site for site in sites for number in site.operators}
    found = {}
    for number in steps:
        output = main.tensors[main.operators[number].outputs[0]]
        site = weighted.get(number)
        if site is None or not is_quantized(output) or output.dtype not in ("int8", "uint8"):
            continue
        units = steps_of_sums(main, main.operators[number], site)
        if units is not None and units.all() and output.quantization is not None:
            step = output.quantization.scales[0]
            factors = units.astype(np.float32) / np.float32(step)
            found[number] = Sums(units=units.astype(np.float32), factors=factors, step=step)
    return found


def to_steps(tf: Any, value: Any, sums: Sums) -> Any:
    """The value as a kernel rounds it; gradients pass."""
    rounded = tf.round(tf.round(value / tf.constant(sums.units)) * tf.constant(sums.factors)) * sums.step
    return value + tf.stop_gradient(rounded - value)
