"""Operators of one 8-bit input and output as a table of 256 bytes: twin of ``table_s8.h``.

Each function gives what the reference's kernel gives for every value, so the table is exact by construction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from edgecompile.kernels.exponential import inverse_root, logistic, product, tanh
from edgecompile.kernels.quantities import LIMITS, is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import divide_by_power, quantize_multiplier, scale
from edgecompile.kernels.routine import Array, Call, Overlap, Routine, Site

# Integer bits of the input of the reference's fixed-point logistic and tanh.
_INTEGER_BITS = 4
# Bits that keep an inverse root whole: kShift of micro/kernels/elementwise.cc.
_RSQRT_SHIFT = 20


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    dtypes = ("int8", "uint8") if site.operator.name == "QUANTIZE" else ("int8",)
    if not is_quantized(site.input(0), *dtypes) or not is_quantized(site.output, *dtypes):
        return f"element types other than {' and '.join(dtypes)}"
    if site.operator.name == "LOGISTIC" and (zero_point_of(site.output), scale_of(site.output)) != (-128, 1 / 256):
        return "an output scale other than 1/256 with zero point -128"
    if site.operator.name == "TANH" and (zero_point_of(site.output), scale_of(site.output)) != (0, 1 / 128):
        return "an output scale other than 1/128 with zero point 0"
    return None


def routine(site: Site) -> Routine:
    """One call; the table is indexed by the input's bits."""
    raw = np.arange(256, dtype=np.uint8).view(site.given(0).dtype)
    low, high = LIMITS[site.output.dtype]
    values = np.clip(_FUNCTIONS[site.operator.name](site, raw.astype(np.int64)), low, high).astype(site.output.dtype)
    call = Call(
        kernel="table_s8",
        settings={"count": site.output.elements},
        constants={"table": values.view(np.uint8)},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    pair = Overlap(over=site.operator.outputs[0], under=site.operator.inputs[0], distance=0)
    return Routine(calls=(call,), overlaps=(pair,))


def _quantize(site: Site, x: Array) -> Array:
    """reference/requantize.h."""
    multiplier, shift = quantize_multiplier(scale_of(site.given(0)) / scale_of(site.output))
    scaled = scale(x - zero_point_of(site.given(0)), multiplier, shift, site.rounding)
    return np.asarray(scaled + zero_point_of(site.output))


def _relu(site: Site, x: Array) -> Array:
    """micro/kernels/activations_common.cc, ReluQuantized."""
    return np.maximum(_quantize(site, x), zero_point_of(site.output))


def _relu6(site: Site, x: Array) -> Array:
    """micro/kernels/activations_common.cc, Relu6Quantized: cuts, and does not scale."""
    zero_point = zero_point_of(site.given(0))
    six = zero_point + math.floor(float(np.float32(6.0) / np.float32(scale_of(site.given(0)))) + 0.5)
    return np.clip(x, zero_point, min(six, 127))


def _leaky_relu(site: Site, x: Array) -> Array:
    """reference/leaky_relu.h; multipliers are float32 quotients, that of alpha may be negative."""
    source, output = np.float32(scale_of(site.given(0))), np.float32(scale_of(site.output))
    alpha = np.float32(site.operator.options["alpha"])
    value = x - zero_point_of(site.given(0))
    kept = scale(value, *quantize_multiplier(float(source / output)), site.rounding)
    slope = float(source * alpha / output)
    multiplier, shift = quantize_multiplier(abs(slope))
    if slope < 0:
        multiplier = -multiplier
    left, right = max(shift, 0), max(-shift, 0)
    leaked = divide_by_power(product(value << left, multiplier), right)
    return np.where(value >= 0, kept, leaked) + zero_point_of(site.output)


def _logistic(site: Site, x: Array) -> Array:
    """reference/integer_ops/logistic.h."""
    return _saturating(site, x, lambda q: divide_by_power(logistic(q, _INTEGER_BITS), 23) - 128)


def _tanh(site: Site, x: Array) -> Array:
    """reference/integer_ops/tanh.h."""
    return _saturating(site, x, lambda q: divide_by_power(tanh(q, _INTEGER_BITS), 24))


def _saturating(site: Site, x: Array, function: Callable[[Array], Array]) -> Array:
    """Beyond the input radius the result is the lowest or highest value (micro/kernels/logistic_common.cc)."""
    fraction, shift = math.frexp(scale_of(site.given(0)) * (1 << (31 - _INTEGER_BITS)))
    multiplier = math.floor(fraction * 2**31 + 0.5)
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) / 2.0**shift)
    value = x - zero_point_of(site.given(0))
    inside = np.clip(value, -radius, radius)
    result = function(np.asarray(scale(inside, multiplier, shift, site.rounding)))
    return np.where(value <= -radius, -128, np.where(value >= radius, 127, result))


def _hard_swish(site: Site, x: Array) -> Array:
    """reference/hard_swish.h, in 16-bit fixed point."""
    lifted = np.float32(1 / 128) * np.float32(scale_of(site.given(0)))
    output_multiplier, output_shift = quantize_multiplier(float(lifted / np.float32(scale_of(site.output))))
    relu_multiplier, relu_shift = quantize_multiplier(float(lifted / np.float32(3 / 32768)))
    value = (x - zero_point_of(site.given(0))) << 7
    preshift = _high_product_16(value, _narrow(output_multiplier))
    relu = value
    if relu_shift > 0:
        relu = np.clip(relu << (relu_shift - 1), -32768, 32767)
    relu = _high_product_16(relu, _narrow(relu_multiplier))
    if relu_shift > 0:
        relu = np.clip(relu << 1, -32768, 32767)
    elif relu_shift < 0:
        relu = divide_by_power(relu, -relu_shift)
    relu = (relu + (1 << 15)) >> 1
    both = relu * preshift
    truncated = np.where(both >= 0, both >> 15, -((-both) >> 15))
    return np.asarray(divide_by_power(truncated, -output_shift) + zero_point_of(site.output))


def _elu(site: Site, x: Array) -> Array:
    """micro/kernels/elu.cc: a table made in float32."""
    one, zero_point = np.float32(1.0), np.float32(zero_point_of(site.output))
    real = (x - zero_point_of(site.given(0))).astype(np.float32) * np.float32(scale_of(site.given(0)))
    # C's expf is correctly rounded almost everywhere; so is the double result cut to float32.
    transformed = np.where(real < 0, np.exp(np.minimum(real, 0).astype(np.float64)).astype(np.float32) - one, real)
    steps = transformed * (one / np.float32(scale_of(site.output)))
    away = np.where(steps >= 0, np.floor(steps + np.float64(0.5)), -np.floor(np.float64(0.5) - steps))
    return np.asarray(away.astype(np.float32) + zero_point).astype(np.int64)


def _abs(site: Site, x: Array) -> Array:
    """micro/kernels/elementwise.cc, AbsEvalQuantized: equal scales are not multiplied."""
    value = np.abs(x - zero_point_of(site.given(0)))
    if scale_of(site.given(0)) != scale_of(site.output):
        value = scale(value, *quantize_multiplier(scale_of(site.given(0)) / scale_of(site.output)), site.rounding)
    return np.asarray(value + zero_point_of(site.output))


def _rsqrt(site: Site, x: Array) -> Array:
    """The same file, RsqrtEvalQuantized; it gives up below 0, where the largest value stands here."""
    multiplier, shift = quantize_multiplier(1.0 / (math.sqrt(scale_of(site.given(0))) * scale_of(site.output)))
    found = []
    for value in (x - zero_point_of(site.given(0))).tolist():
        if value <= 0:
            found.append(LIMITS[site.output.dtype][1])
            continue
        root, root_shift = inverse_root(value)
        data = scale(1, root, root_shift + _RSQRT_SHIFT, site.rounding)
        found.append(int(scale(data, multiplier, shift - _RSQRT_SHIFT, site.rounding)) + zero_point_of(site.output))
    return np.array(found, np.int64)


def _high_product_16(x: Array, y: int) -> Array:
    both = x * y
    total = both + np.where(both >= 0, 1 << 14, 1 - (1 << 14))
    return np.where(total >= 0, total >> 15, -((-total) >> 15))


def _narrow(multiplier: int) -> int:
    """DownScaleInt32ToInt16Multiplier."""
    return 32767 if multiplier >= (1 << 31) - 1 - (1 << 15) else (multiplier + (1 << 15)) >> 16


_FUNCTIONS: Mapping[str, Callable[[Site, Array], Array]] = {
    "ABS": _abs,
    "ELU": _elu,
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _logistic,
    "QUANTIZE": _quantize,
    "RELU": _relu,
    "RELU6": _relu6,
    "RSQRT": _rsqrt,
    "TANH": _tanh,
}
OPERATORS = tuple(_FUNCTIONS)
