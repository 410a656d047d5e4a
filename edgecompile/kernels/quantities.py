"""Figures that the reference's ``Prepare`` functions work out from scales, in the very precision they use."""

from __future__ import annotations

import numpy as np

from edgecompile.ir.network import Tensor
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Array, Site

LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
_FUSED: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}


def scale_of(tensor: Tensor) -> float:
    """The scale of a tensor with one scale, exactly the file's float32."""
    assert tensor.quantization is not None
    return float(np.float32(tensor.quantization.scales[0]))


def zero_point_of(tensor: Tensor) -> int:
    """The zero point of a tensor with one scale."""
    assert tensor.quantization is not None
    return tensor.quantization.zero_points[0] if tensor.quantization.zero_points else 0


def is_quantized(tensor: Tensor | None, *dtypes: str) -> bool:
    """Of one of these element types, with one scale that is positive."""
    if tensor is None or tensor.dtype not in dtypes or tensor.quantization is None:
        return False
    return len(tensor.quantization.scales) == 1 and tensor.quantization.scales[0] > 0


def is_fused(site: Site) -> bool:
    """The fused activation is one that the kernels know."""
    return site.operator.options.get("fused_activation_function", "NONE") in _FUSED


def fused_bounds(site: Site) -> tuple[float | None, float | None]:
    """The fused activation's real bounds, None where it has none."""
    return _FUSED[site.operator.options.get("fused_activation_function", "NONE")]


def activation_range(site: Site) -> tuple[int, int]:
    """Lowest and highest output: CalculateActivationRangeQuantized, which rounds ``bound / scale`` in float32."""
    low, high = fused_bounds(site)
    lowest, highest = LIMITS[site.output.dtype]
    if low is not None:
        lowest = max(lowest, _quantized(site.output, low))
    if high is not None:
        highest = min(highest, _quantized(site.output, high))
    return lowest, highest


def _quantized(tensor: Tensor, value: float) -> int:
    steps = float(np.float32(value) / np.float32(scale_of(tensor)))
    away = np.floor(abs(steps) + 0.5)
    return zero_point_of(tensor) + int(away if steps >= 0 else -away)


def channel_multipliers(source: Tensor, weights: Tensor, output: Tensor, channels: int) -> tuple[Array, Array]:
    """``m`` (int32) and ``shift`` (int8) for each output channel: PopulateConvolutionQuantizationParams."""
    assert weights.quantization is not None
    scales = [float(np.float32(scale)) for scale in weights.quantization.scales]
    pairs = [quantize_multiplier(scale_of(source) * scale / scale_of(output)) for scale in scales]
    pairs = pairs * channels if len(pairs) == 1 else pairs
    return np.array([m for m, _ in pairs], np.int32), np.array([shift for _, shift in pairs], np.int8)


def bias_of(site: Site, channels: int) -> Array:
    """The bias as int64, zeros where there is none."""
    bias = site.input(2)
    values = bias.array if bias is not None else None
    return np.zeros(channels, np.int64) if values is None else values.reshape(-1).astype(np.int64)
