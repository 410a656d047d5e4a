"""Which channels of which values are the same number at every place, whatever the input is."""

from __future__ import annotations

import numpy as np

from edgecompile.ir.network import Operator
from edgecompile.kernels.quantities import scale_of, zero_point_of
from edgecompile.kernels.rounding import ONCE, TWICE, quantize_multiplier, scale
from edgecompile.optimize._channel_roles import Sum, clamps, depthwise, is_separate, mixer, zero_points_agree
from edgecompile.optimize._draft import Array, Draft

_INT32 = 1 << 31
Known = dict[int, dict[int, int]]


def constant_channels(draft: Draft) -> Known:
    """``{tensor: {channel: value}}`` in quantized numbers.

    A sum is constant where every channel with weights other than 0 is, and where the border of a SAME padding,
    which sees the zero point, gives the same output as the inside. Values on which the reference's roundings (once,
    twice) and a runtime that scales in float32 (XNNPACK) disagree are not taken for known.
    """
    known: Known = {}
    for _, operator in draft.alive():
        if not operator.outputs or not operator.inputs:
            continue
        given = known.get(operator.inputs[0], {})
        mixed = mixer(draft, operator)
        if mixed is not None:
            found = _mixed(draft, operator, mixed, given)
        elif is_separate(draft, operator):
            found = _separate(draft, operator, given)
        else:
            continue
        known[operator.outputs[0]] = found
    return known


def _mixed(draft: Draft, operator: Operator, summed: Sum, given: dict[int, int]) -> dict[int, int]:
    open_inputs = [i for i in range(summed.weights.shape[-1]) if i not in given]
    closed = np.flatnonzero(~summed.weights[..., open_inputs].any(axis=(1, 2, 3)))
    if not closed.size:
        return {}
    zero = zero_point_of(draft.tensors[operator.inputs[0]])
    total = np.zeros((len(summed.taps[0]), len(summed.taps[1]), len(summed.weights)), np.int64)
    for channel, value in given.items():
        if value != zero:
            total += (value - zero) * summed.seen(channel)
    return _outputs(draft, operator, summed, {int(o): total[..., o] for o in closed})


def _separate(draft: Draft, operator: Operator, given: dict[int, int]) -> dict[int, int]:
    summed = depthwise(draft, operator)
    if summed is not None:
        zero = zero_point_of(draft.tensors[operator.inputs[0]])
        seen = summed.seen(0)
        dead = np.flatnonzero(~summed.weights.any(axis=(1, 2, 3)))
        values = {**{int(channel): zero for channel in dead}, **given}
        return _outputs(draft, operator, summed, {c: (value - zero) * seen[..., c] for c, value in values.items()})
    if not zero_points_agree(draft, operator):
        return {}  # rescaled, in ways that differ between runtimes
    lowest, highest = clamps(draft, operator)
    return {channel: min(max(value, lowest), highest) for channel, value in given.items()}


def _outputs(draft: Draft, operator: Operator, summed: Sum, totals: dict[int, Array]) -> dict[int, int]:
    """The outputs that are one number, of sums without bias at the different places of the plane."""
    found = {}
    for channel, total in totals.items():
        bias = int(summed.bias[channel]) if summed.bias is not None else 0
        outputs = _scaled(draft, operator, total + bias, channel)
        if len(outputs) == 1:
            found[channel] = outputs.pop()
    return found


def _scaled(draft: Draft, operator: Operator, sums: Array, channel: int) -> set[int]:
    """All outputs that some runtime gives for these sums; none where the arithmetic would overflow."""
    source, result = draft.tensors[operator.inputs[0]], draft.tensors[operator.outputs[0]]
    weights = draft.tensors[operator.inputs[1]].quantization
    assert weights is not None
    factor = np.float32(weights.scales[channel if weights.per_channel else 0])
    # The reference multiplies the two scales in double precision for CONV_2D, in float32 for FULLY_CONNECTED.
    products = (scale_of(source) * float(factor), float(np.float32(scale_of(source)) * factor))
    lowest, highest = clamps(draft, operator)
    outputs: set[int] = set()
    for real in {product / scale_of(result) for product in products}:
        multiplier, shift = quantize_multiplier(real)
        if shift > 30 or int(np.abs(sums).max()) << max(shift, 0) >= _INT32:
            return set()
        ways = [scale(sums, multiplier, shift, rounding) for rounding in (TWICE, ONCE)]
        ways.append(np.rint(sums.astype(np.float32) * np.float32(real)).astype(np.int64))
        shifted = np.concatenate([np.ravel(way) for way in ways]) + zero_point_of(result)
        outputs |= {int(value) for value in np.clip(shifted, lowest, highest)}
    return outputs
