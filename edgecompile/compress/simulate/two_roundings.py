"""Two roundings where a kernel multiplies its sum by a scale: to the last place of the multiplier, then to an integer.

Kernels that microcontrollers run do so (``MultiplyByQuantizedMultiplier`` of TensorFlow up to 2.19): in about one of a
thousand results the first brings the sum to a half that the second takes away from zero. Others round once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from edgecompile.compress.integers import input_scale
from edgecompile.compress.simulate.quantizers import is_quantized
from edgecompile.compress.sites import Site
from edgecompile.ir.network import Operator, Subgraph

Array = np.ndarray[Any, Any]
# Beyond that many places a half comes by so seldom, and float32 tells it so badly, that nothing is gained.
_MOST_PLACES = 12


def grids(main: Subgraph, sites: Iterable[Site], steps: Iterable[int]) -> dict[int, Array]:
    """By operator: the distance of the values that the first rounding leaves, one or one a channel, 0 for none."""
    weighted = {number: site for site in sites for number in site.operators}
    found = {}
    for number in steps:
        output = main.tensors[main.operators[number].outputs[0]]
        if is_quantized(output) and output.dtype in ("int8", "uint8") and output.quantization is not None:
            sums = steps_of_sums(main, main.operators[number], weighted.get(number))
            if sums is not None:
                found[number] = _grid(sums, output.quantization.scales[0])
    return {number: grid for number, grid in found.items() if grid.any()}


def to_grid(tf: Any, value: Any, grid: Array) -> Any:
    """The value after the first rounding, a quarter of a place off zero so that halves leave it; gradients pass."""
    places = tf.constant(grid)
    rounded = tf.floor(tf.math.divide_no_nan(value, places) + 0.5) * places
    moved = tf.where(places > 0.0, rounded + tf.where(rounded < 0.0, -0.25, 0.25) * places, value)
    return value + tf.stop_gradient(moved - value)


def steps_of_sums(main: Subgraph, operator: Operator, site: Site | None) -> Array | None:
    """What one of the kernel's sum stands for, one or one a channel; None for operators whose sums are not modelled."""
    if site is not None:
        given = main.tensors[site.weights].quantization
        if site.axis is None or given is None or not given.scales:
            return None
        return np.array(given.scales, np.float64) * input_scale(main, operator, site.slot)
    if operator.label not in _PRODUCTS:
        return None
    inputs = [main.tensors[index] for index in operator.inputs]
    if not all(is_quantized(tensor) for tensor in inputs):
        return None
    return np.array([math.prod(tensor.quantization.scales[0] for tensor in inputs if tensor.quantization is not None)])


_PRODUCTS = frozenset({"MUL", "QUANTIZE"})


def _grid(sums: Array, output: float) -> Array:
    places = np.array([-math.frexp(one / output)[1] for one in sums])
    return np.where((places > 0) & (places <= _MOST_PLACES), output * 2.0**-places, 0.0).astype(np.float32)
