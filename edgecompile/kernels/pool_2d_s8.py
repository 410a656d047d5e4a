"""AVERAGE_POOL_2D and MAX_POOL_2D int8: twin of ``pool_2d_s8.h``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.kernels.convolution import geometry
from edgecompile.kernels.quantities import activation_range, is_fused, is_quantized
from edgecompile.kernels.routine import Call, Overlap, Routine, Site

OPERATORS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if not is_quantized(site.input(0), "int8") or not is_quantized(site.output, "int8"):
        return "element types other than int8"
    return None if is_fused(site) else f"fused activation {site.operator.options.get('fused_activation_function')}"


def routine(site: Site) -> Routine:
    """One call without scratch; the reference scales nothing, whatever scales input and output have."""
    options = site.operator.options
    window = geometry(site, options["filter_height"], options["filter_width"])
    lowest, highest = activation_range(site)
    sizes = {
        name: value for name, value in window.settings().items() if name not in ("dilation_h", "dilation_w", "out_c")
    }
    call = Call(
        kernel="pool_2d_s8",
        settings={
            **sizes,
            "is_average": int(site.operator.name == "AVERAGE_POOL_2D"),
            "lowest": lowest,
            "highest": highest,
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    # Every channel of a pixel reads the pixel's windows anew: written is the whole pixel before they are done with.
    pixels = np.arange(window.batches * window.out_h * window.out_w)
    written = (pixels + 1) * window.out_c
    distance = int(np.max(written - replace(window, dilation_h=1).first_read(pixels)))
    pair = (site.operator.outputs[0], site.operator.inputs[0])
    return Routine(calls=(call,), overlaps=(Overlap(over=pair[0], under=pair[1], distance=distance),))
