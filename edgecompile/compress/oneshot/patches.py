"""What an operator multiplies its weights with: its input as a matrix, a row for each position of the output.

Columns are in the order of ``sites.as_rows``. The matrix form of a convolution is Chellapilla, Puri and Simard, "High
Performance Convolutional Neural Networks for Document Processing", 2006, section 2 (im2col).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.ir.network import Operator

Array = np.ndarray[Any, Any]

# Operator -> input slot of the values; what is not here is compressed without its inputs.
VALUES: Mapping[str, int] = {
    "CONV_2D": 0,
    "DEPTHWISE_CONV_2D": 0,
    "FULLY_CONNECTED": 0,
    "CONV_3D": 0,
    "TRANSPOSE_CONV": 2,
}
_AXES = {2: ("h", "w"), 3: ("d", "h", "w")}


def patches(
    operator: Operator,
    weights: tuple[int, ...],
    output: tuple[int, ...],
    x: Array,
    picks: np.random.Generator,
    rows: int,
) -> Array:
    """float32[groups, at most rows, columns]: row r of group g times a filter of that group is one output value.

    ``weights`` and ``output`` are shapes; ``x`` float32[samples, 1, ...] holds the operator's input for each sample.
    Positions are drawn by ``picks`` where there are more than ``rows``, the same in every sample of the call.
    """
    x = x.reshape(-1, *x.shape[2:]) if x.ndim > 2 else x
    if operator.name == "FULLY_CONNECTED":
        flat = x.reshape(-1, weights[1])
        return flat[_some(len(flat), rows, picks)][None]
    kernel = {"CONV_3D": weights[:3], "CONV_2D": weights[1:3]}.get(operator.name, weights[1:3])
    if operator.name == "TRANSPOSE_CONV":
        windows = _transposed(operator, kernel, output, x)
    else:
        windows = _windows(operator, kernel, output, x)
    return _matrix(operator, weights, windows, picks, rows)


def _windows(operator: Operator, kernel: Sequence[int], output: Sequence[int], x: Array) -> Array:
    """A view [samples, *positions, channels, *kernel] of the padded input."""
    axes = _AXES[len(kernel)]
    strides = [int(operator.options.get(f"stride_{axis}", 1)) for axis in axes]
    dilations = [int(operator.options.get(f"dilation_{axis}_factor", 1)) for axis in axes]
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    positions = output[1:-1]
    margins = [(0, 0)]
    for place, (count, stride, span) in enumerate(zip(positions, strides, reach, strict=True)):
        lacking = max((count - 1) * stride + span - x.shape[place + 1], 0)
        # TFLite pads the odd row at the end (kernels/padding.h).
        before = lacking // 2 if operator.options.get("padding") == "SAME" else 0
        margins.append((before, lacking - before))
    padded = np.pad(x, [*margins, (0, 0)])
    spatial = tuple(range(1, 1 + len(kernel)))
    view = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=spatial)  # type: ignore[call-overload]
    every = tuple(slice(0, (count - 1) * stride + 1, stride) for count, stride in zip(positions, strides, strict=True))
    inside = tuple(slice(None, None, step) for step in dilations)
    places: tuple[slice, ...] = (slice(None), *every, slice(None), *inside)
    found: Array = view[places]
    return found


def _transposed(operator: Operator, kernel: Sequence[int], output: Sequence[int], x: Array) -> Array:
    """As ``_windows``: a transposed convolution is one over its input with zeros between, the kernel turned round."""
    strides = [int(operator.options[f"stride_{axis}"]) for axis in ("h", "w")]
    wide = np.zeros((len(x), *(sum(pair) for pair in zip(output[1:3], kernel, strict=True)), x.shape[3]), x.dtype)
    places = []
    for axis in (0, 1):
        size = x.shape[axis + 1]
        # Padding of the convolution that goes the other way: kernels/padding.h, ComputePaddingHeightWidth.
        lacking = max((size - 1) * strides[axis] + kernel[axis] - output[axis + 1], 0)
        before = lacking // 2 if operator.options.get("padding") == "SAME" else 0
        first = kernel[axis] - 1 - before
        places.append([(first + step * strides[axis], step) for step in range(size)])
    for row, from_row in places[0]:
        for column, from_column in places[1]:
            if 0 <= row < wide.shape[1] and 0 <= column < wide.shape[2]:
                wide[:, row, column] = x[:, from_row, from_column]
    view = np.lib.stride_tricks.sliding_window_view(wide, tuple(kernel), axis=(1, 2))  # type: ignore[call-overload]
    found: Array = view[:, : output[1], : output[2], :, ::-1, ::-1]
    return found


def _matrix(
    operator: Operator, weights: tuple[int, ...], windows: Array, picks: np.random.Generator, rows: int
) -> Array:
    spatial = (windows.ndim - 2) // 2
    samples, positions, channels = windows.shape[0], windows.shape[1 : 1 + spatial], windows.shape[1 + spatial]
    chosen = _some(int(np.prod(positions)), max(rows // samples, 1), picks)
    # [samples, chosen, channels, *kernel]
    places: tuple[Any, ...] = (slice(None), *np.unravel_index(chosen, positions))
    taken = windows[places]
    flat = taken.reshape(-1, channels, *windows.shape[2 + spatial :])
    if operator.name == "DEPTHWISE_CONV_2D":
        return np.ascontiguousarray(flat.reshape(len(flat), channels, -1).transpose(1, 0, 2))
    inner = weights[3]
    groups = channels // inner
    split = flat.reshape(len(flat), groups, inner, *flat.shape[2:])
    ordered = np.moveaxis(split, 2, -1)
    return np.ascontiguousarray(ordered.reshape(len(flat), groups, -1).transpose(1, 0, 2))


def _some(count: int, most: int, picks: np.random.Generator) -> Array:
    return np.arange(count) if count <= most else np.sort(picks.choice(count, most, replace=False))
