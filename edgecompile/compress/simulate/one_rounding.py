"""Sums of products as the whole numbers that a kernel has, and one rounding behind them, in float32 as XNNPACK does it.

A simulation sums real numbers in float32, whose noise moves one of a hundred thousand results across a half, more
where thousands of products are summed. A deep network with gates (squeeze and excitation) makes thousands of other
integers of such a one. The sum is a multiple of the input's scale times the weights': summed in float64 and brought
back to it, it is the kernel's, which multiplies it in float32 and rounds halves to even (XNNPACK, qs8-qc8w-gemm,
"fp32" requantization).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgecompile.compress.simulate.call import Call, Value
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


def in_float64(call: Call) -> Call:
    """The operator with its values, weights and constants in twice the width."""
    tf = call.tf

    def wide(value: Value) -> Value:
        return tf.cast(value, tf.float64) if value is not None and value.dtype == tf.float32 else value

    constants = (
        one.astype(np.float64) if one is not None and one.dtype == np.float32 else one for one in call.constants
    )
    weights = {slot: wide(value) for slot, value in call.weights.items()}
    return replace(call, values=tuple(map(wide, call.values)), weights=weights, constants=tuple(constants))


def to_steps(tf: Any, value: Value, sums: Sums) -> Value:
    """The value, float32 or float64, as a kernel rounds it, in float32; gradients pass."""
    whole = tf.cast(tf.round(value / tf.constant(sums.units, value.dtype)), tf.float32)
    rounded, real = tf.round(whole * tf.constant(sums.factors)) * sums.step, tf.cast(value, tf.float32)
    return real + tf.stop_gradient(rounded - real)
