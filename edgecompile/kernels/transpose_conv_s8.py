"""TRANSPOSE_CONV int8: twin of ``transpose_conv_s8.h``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.kernels.convolution import refuse_convolution, scaling
from edgecompile.kernels.routine import Array, Call, Routine, Setting, Site

OPERATORS = ("TRANSPOSE_CONV",)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    # The reference leaves a fused activation out (micro/kernels/transpose_conv.cc).
    if site.operator.options.get("fused_activation_function", "NONE") != "NONE":
        return f"fused activation {site.operator.options['fused_activation_function']}"
    return refuse_convolution(like_a_convolution(site))


def routine(site: Site) -> Routine:
    """One call without scratch; each output gathers the inputs that reach it."""
    site = like_a_convolution(site)
    weights = site.given(1).array
    assert weights is not None
    out_c = len(weights)
    # Only inputs that exist are summed, so the zero point is taken from each instead of being folded.
    quantities, constants = scaling(site, weights.reshape(out_c, -1), folded=False)
    quantities = {name: value for name, value in quantities.items() if name != "is_plain"}
    call = Call(
        kernel="transpose_conv_s8",
        settings={**sizes_of(site, weights), **quantities},
        constants={"weights": np.ascontiguousarray(weights), **constants},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))


def sizes_of(site: Site, weights: Array) -> dict[str, Setting]:
    """Sizes and padding of an operator in a convolution's order, with weights [out_c, kernel_h, kernel_w, in_c]."""
    source, output, options = site.given(0).shape, site.output.shape, site.operator.options
    out_c, kernel_h, kernel_w, in_c = weights.shape
    return {
        "batches": source[0],
        "in_h": source[1],
        "in_w": source[2],
        "in_c": in_c,
        "out_h": output[1],
        "out_w": output[2],
        "out_c": out_c,
        "kernel_h": kernel_h,
        "kernel_w": kernel_w,
        "stride_h": options["stride_h"],
        "stride_w": options["stride_w"],
        "pad_top": _before(output[1], options["stride_h"], kernel_h, options["padding"]),
        "pad_left": _before(output[2], options["stride_w"], kernel_w, options["padding"]),
    }


def like_a_convolution(site: Site) -> Site:
    """Inputs are output shape, weights, values, bias: put in a convolution's order."""
    inputs = site.operator.inputs
    order = (inputs[2], inputs[1], *inputs[3:4])
    return replace(site, operator=replace(site.operator, inputs=order))


def _before(output: int, stride: int, kernel: int, padding: str) -> int:
    """ComputePaddingHeightWidth with the output in the input's place, for that is what the forward convolution had."""
    forward = -(-output // stride) if padding == "SAME" else -(-(output - kernel + 1) // stride)
    return max((forward - 1) * stride + kernel - output, 0) // 2
