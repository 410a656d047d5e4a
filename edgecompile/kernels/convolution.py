"""What the convolutions' twins share: sizes, padding, scaling, and how far their reading has come."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from edgecompile.kernels.lines import SHIFTS, Lines, Staircase, fit, lines_in_pairs, sums_of
from edgecompile.kernels.pairs import fold, is_small
from edgecompile.kernels.quantities import (
    activation_range,
    bias_of,
    channel_multipliers,
    is_fused,
    is_quantized,
    zero_point_of,
)
from edgecompile.kernels.rounding import TWICE, scale
from edgecompile.kernels.routine import Array, Setting, Site

_INT32 = 1 << 31
# The furthest shift for which the rounding constant and the zero point fit beside the product.
_FURTHEST = 20


@dataclass(frozen=True, kw_only=True)
class Window:
    """A kernel sliding over int8[n, h, w, c]; fields are settings of the layer, ``pad_*`` what stands before."""

    batches: int
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int

    @property
    def input_bytes(self) -> int:
        """Elements of the input."""
        return self.batches * self.in_h * self.in_w * self.in_c

    def settings(self) -> dict[str, Setting]:
        """As fields of a layer."""
        return dict(asdict(self))

    def first_read(self, pixels: Array) -> Array:
        """The lowest input offset that any output pixel from ``pixels`` on still needs."""
        per_image = self.out_h * self.out_w
        image, rest = pixels // per_image, pixels % per_image
        row, column = rest // self.out_w, rest % self.out_w
        top = np.maximum(row * self.stride_h - self.pad_top, 0)
        next_top = np.maximum((row + 1) * self.stride_h - self.pad_top, 0)
        left = np.maximum(column * self.stride_w - self.pad_left, 0)
        here, below = top * self.in_w + left, next_top * self.in_w
        # A window of several rows comes back to its column in the next row, which begins at the left border again.
        position = np.where(row + 1 < self.out_h, np.minimum(here, below), here)
        return np.asarray((image * self.in_h * self.in_w + position) * self.in_c)


def geometry(site: Site, kernel_h: int, kernel_w: int) -> Window:
    """Sizes and padding: ComputePaddingHeightWidth of TFLite (half of the padding, rounded down, stands before)."""
    options, source, output = site.operator.options, site.given(0).shape, site.output.shape
    stride_h, stride_w = options["stride_h"], options["stride_w"]
    dilation_h, dilation_w = options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1)
    return Window(
        batches=source[0],
        in_h=source[1],
        in_w=source[2],
        in_c=source[3],
        out_h=output[1],
        out_w=output[2],
        out_c=output[3],
        kernel_h=kernel_h,
        kernel_w=kernel_w,
        stride_h=stride_h,
        stride_w=stride_w,
        dilation_h=dilation_h,
        dilation_w=dilation_w,
        pad_top=_before(source[1], output[1], stride_h, kernel_h, dilation_h, options["padding"]),
        pad_left=_before(source[2], output[2], stride_w, kernel_w, dilation_w, options["padding"]),
    )


def _before(source: int, output: int, stride: int, kernel: int, dilation: int, padding: str) -> int:
    reach = (kernel - 1) * dilation + 1
    return max((output - 1) * stride + reach - source, 0) // 2 if padding == "SAME" else 0


def refuse_convolution(site: Site) -> str | None:
    """Why no kernel of int8 inputs and constant int8 weights takes the operator; None: it may."""
    weights = site.input(1)
    if not is_quantized(site.input(0), "int8") or not is_quantized(site.output, "int8"):
        return "element types other than int8"
    if weights is None or weights.dtype != "int8" or weights.array is None or weights.quantization is None:
        return "weights that are not constant int8"
    if any(weights.quantization.zero_points):
        return "weights with a zero point"
    bias = site.input(2)
    if bias is not None and (bias.dtype != "int32" or bias.array is None):
        return "a bias that is not constant int32"
    if not is_fused(site):
        return f"fused activation {site.operator.options.get('fused_activation_function')}"
    return None


def refuse_plain(site: Site) -> str | None:
    """Why the operator is no convolution in which every output depends on every input channel; None: it is."""
    reason = refuse_convolution(site)
    if reason is not None:
        return reason
    weights, channels = site.given(1).array, site.given(0).shape[3]
    assert weights is not None
    if site.operator.name == "DEPTHWISE_CONV_2D":
        # 3x3 is made faster from planes.
        return "more than one input channel, or 3x3" if channels > 1 or weights.shape[1:3] == (3, 3) else None
    return "groups" if weights.shape[3] != channels else None


def filters(site: Site) -> tuple[Array, int, int]:
    """Weights as int8[o, h · w · i], and h and w; those of a depthwise convolution, of one input channel, too."""
    weights = site.given(1).array
    assert weights is not None
    _, kernel_h, kernel_w, channels = weights.shape
    if site.operator.name == "DEPTHWISE_CONV_2D":
        return np.ascontiguousarray(weights.reshape(-1, channels).T), kernel_h, kernel_w
    return weights.reshape(len(weights), -1), kernel_h, kernel_w


def scaling(
    site: Site, weights: Array, *, folded: bool = True, paired: bool = True
) -> tuple[dict[str, int], dict[str, Array]]:
    """Settings and constants of a layer with int8[o, k] weights: bias with the input's zero point ``folded`` in.

    ``is_plain``: every channel's shift is to the right, the sums are small and the output is cut at int8's own limits
    or inside them, which the short ways of ``pairs.h`` need, or those of ``dot.h`` if not ``paired``.
    """
    source, output = site.given(0), site.output
    multiplier, shift = channel_multipliers(source, site.given(1), output, len(weights))
    bias = bias_of(site, len(weights))
    if folded:
        bias = fold(weights, bias, zero_point_of(source))
    lowest, highest = activation_range(site)
    bias, multiplier, shift = _settle(site, weights, _wrapped(bias), multiplier, shift)
    short = is_small(weights, bias, paired=paired) and bool(np.all(shift < 0) and np.all(shift >= -_FURTHEST))
    short = short and site.rounding == TWICE
    settings = {
        "input_zero_point": zero_point_of(source),
        "output_zero_point": zero_point_of(output),
        "lowest": lowest,
        "highest": highest,
        "is_plain": int(short),
        "rounding": int(site.rounding == "once"),
    }
    return settings, {"bias": bias.astype(np.int32), "multiplier": multiplier, "shift": shift}


def _settle(site: Site, weights: Array, bias: Array, multiplier: Array, shift: Array) -> tuple[Array, Array, Array]:
    """Channels whose weights are all 0 give one value, whatever their scale is: give it by an ordinary multiplier.

    Training leaves such channels with scales so small that no short way would take the whole layer. Four times the
    value less the zero point, times 2^30, twice 2 to the right, is that value exactly.
    """
    zero_point, bias = zero_point_of(site.output), bias.astype(np.int64)
    lowest, highest = activation_range(site)
    multiplier, shift = multiplier.copy(), shift.copy()
    for channel in np.flatnonzero(~weights.any(axis=1)):
        if abs(int(bias[channel])) << max(int(shift[channel]), 0) >= _INT32:
            continue  # the reference's own arithmetic overflows
        scaled = int(scale(bias[channel], int(multiplier[channel]), int(shift[channel]), site.rounding))
        bias[channel] = 4 * (min(max(scaled + zero_point, lowest), highest) - zero_point)
        multiplier[channel], shift[channel] = 1 << 30, -1
    return bias, multiplier, shift


def uniform(constants: dict[str, Array]) -> tuple[bool, dict[str, Array]]:
    """Whether all channels have one multiplier and one shift, and then ``scaling``'s constants with these once."""
    scales = np.stack([constants["multiplier"], constants["shift"]])
    if not np.all(scales == scales[:, :1]):
        return False, constants
    return True, constants | {name: constants[name][:1] for name in ("multiplier", "shift")}


def on_lines(weights: Array, settings: dict[str, int], constants: dict[str, Array]) -> Lines | None:
    """What ``scaling`` gave for int8[o, k] weights, as lines that are equal; None where there are none."""
    if not settings["is_plain"]:
        return None
    lowest, highest = sums_of(weights)
    stairs = Staircase(
        **constants,
        lowest_sum=lowest,
        highest_sum=highest,
        zero_point=settings["output_zero_point"],
        lowest=settings["lowest"],
        highest=settings["highest"],
    )
    return next((found for shift in SHIFTS if (found := fit(stairs, shift)) is not None), None)


def scaled_in_pairs(
    weights: Array, settings: dict[str, int], constants: dict[str, Array]
) -> tuple[dict[str, Setting], dict[str, Array]]:
    """Settings and constants by which sums of pairs become outputs: ``lines.h``'s, else those of ``pairs.h``."""
    straight = on_lines(weights, settings, constants)
    if straight is None:
        return {"line_shift": 0, "base": 0}, in_pairs(constants)
    return {"line_shift": straight.shift, "base": straight.base}, {"lines": lines_in_pairs(straight)}


def in_pairs(constants: dict[str, Array]) -> dict[str, Array]:
    """The constants of ``scaling`` as ``pairs.h`` reads them: what two channels need lies together."""
    odd = len(constants["bias"]) % 2
    bias, multiplier = (np.pad(constants[name], (0, odd)) for name in ("bias", "multiplier"))
    channels = np.stack([bias, multiplier], axis=1).astype(np.int32)
    return {"channels": channels, "right_shift": np.pad(-constants["shift"], (0, odd)).astype(np.int8)}


def _wrapped(bias: Array) -> Array:
    """Sums are modulo 2^32 on the device; so is a folded bias that leaves int32."""
    return ((bias + _INT32) % (2 * _INT32) - _INT32).astype(np.int32)
