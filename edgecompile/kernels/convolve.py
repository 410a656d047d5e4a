"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED of int16 with int8 weights, or of float32: twin of ``convolve.h``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.kernels.convolution import Window, geometry
from edgecompile.kernels.elements import NUMBERS, of_one_type, real_range
from edgecompile.kernels.quantities import activation_range, channel_multipliers, is_fused
from edgecompile.kernels.routine import Array, Call, Routine, Setting, Site

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# Asked after the kernels of int8.
RANK = 2
# Sums of 64 bits are scaled by shifts below 8: MultiplyByQuantizedMultiplier of internal/common.cc.
_FURTHEST = 8


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int16", "float32"), site.input(0), site.output)
    if reason is not None:
        return reason
    weights, bias, real = site.input(1), site.input(2), site.output.dtype == "float32"
    wanted = "float32" if real else "int8"
    if weights is None or weights.dtype != wanted or weights.array is None:
        return f"{site.output.dtype} with weights that are not constant {wanted}"
    wanted = "float32" if real else "int64"
    if bias is not None and (bias.dtype != wanted or bias.array is None):
        return f"{site.output.dtype} with a bias that is not constant {wanted}"
    if not real and bias is None and site.operator.name != "FULLY_CONNECTED":
        return "int16 without a bias"
    if not is_fused(site):
        return f"fused activation {site.operator.options.get('fused_activation_function')}"
    if site.operator.options.get("weights_format", "DEFAULT") != "DEFAULT":
        return "shuffled weights"
    return None if real else _refuse_scales(site)


def _refuse_scales(site: Site) -> str | None:
    weights = site.given(1)
    if weights.quantization is None or any(weights.quantization.zero_points):
        return "weights without scales or with a zero point"
    _, shift = channel_multipliers(site.given(0), weights, site.output, len(weights.quantization.scales))
    return "a multiplier of 128 or more" if np.any(shift >= _FURTHEST) else None


def routine(site: Site) -> Routine:
    """One call without scratch."""
    weights = site.given(1).array
    assert weights is not None
    window = _window(site, weights)
    flat = _by_output(site, weights)
    settings: dict[str, Setting] = {
        **window.settings(),
        "type": NUMBERS[site.output.dtype],
        "group_c": flat.shape[-1],
    }
    quantities, constants = (_real if site.output.dtype == "float32" else _whole)(site, len(flat))
    is_real = site.output.dtype == "float32"
    name, stored = ("real_weights", flat) if is_real else ("weights", for_wide_dot(flat))
    call = Call(
        kernel="convolve",
        settings={**settings, **quantities},
        constants={name: np.ascontiguousarray(stored.reshape(len(flat), -1)), **constants},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))


def for_wide_dot(weights: Array) -> Array:
    """int8[..., inputs] as ``wide_dot.h`` reads them: each four in the order 0, 2, 1, 3, the rest as it is."""
    inputs = weights.shape[-1]
    order = np.arange(inputs)
    whole = order[: inputs - inputs % 4].reshape(-1, 4)
    order[: whole.size] = whole[:, [0, 2, 1, 3]].reshape(-1)
    return np.ascontiguousarray(weights[..., order])


def _by_output(site: Site, weights: Array) -> Array:
    """Depthwise weights are [1, h, w, o]: as those of groups of one channel, [o, h, w, 1]."""
    return weights.transpose(3, 1, 2, 0) if site.operator.name == "DEPTHWISE_CONV_2D" else weights


def _window(site: Site, weights: Array) -> Window:
    if site.operator.name != "FULLY_CONNECTED":
        return geometry(site, weights.shape[1], weights.shape[2])
    outputs, inputs = weights.shape
    one = Window(**{name: 1 for name in Window.__dataclass_fields__})
    return replace(one, batches=site.output.elements // outputs, in_c=inputs, out_c=outputs, pad_top=0, pad_left=0)


def _real(site: Site, channels: int) -> tuple[dict[str, Setting], dict[str, Array]]:
    lowest, highest = real_range(site)
    bounds: dict[str, Setting] = {"is_bounded": 1, "real_lowest": lowest, "real_highest": highest}
    return bounds, {"real_bias": bias_as(site, channels, np.float32)}


def _whole(site: Site, channels: int) -> tuple[dict[str, Setting], dict[str, Array]]:
    lowest, highest = activation_range(site)
    multiplier, shift = channel_multipliers(site.given(0), site.given(1), site.output, channels)
    constants = {"bias": bias_as(site, channels, np.int64), "multiplier": multiplier, "shift": shift}
    return {"lowest": lowest, "highest": highest}, constants


def bias_as(site: Site, channels: int, dtype: type[np.float32] | type[np.int64]) -> Array:
    """The bias of each channel, 0 where there is none."""
    bias = site.input(2)
    array = bias.array if bias is not None else None
    return np.zeros(channels, dtype) if array is None else array.reshape(-1).astype(dtype)
