"""AVERAGE_POOL_2D and MAX_POOL_2D of int16 and float32: twin of ``pool_2d.h``."""

from __future__ import annotations

from edgecompile.kernels.convolution import geometry
from edgecompile.kernels.elements import NUMBERS, of_one_type, real_range
from edgecompile.kernels.quantities import activation_range, is_fused
from edgecompile.kernels.routine import Call, Routine, Setting, Site

OPERATORS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
# Settings of a window that a pooling has no use for.
_UNUSED = ("dilation_h", "dilation_w", "out_c")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int16", "float32"), site.input(0), site.output)
    if reason is not None:
        return reason
    return None if is_fused(site) else f"fused activation {site.operator.options.get('fused_activation_function')}"


def routine(site: Site) -> Routine:
    """One call without scratch; the reference scales nothing, whatever scales input and output have."""
    options = site.operator.options
    window = geometry(site, options["filter_height"], options["filter_width"])
    settings: dict[str, Setting] = {
        **{name: value for name, value in window.settings().items() if name not in _UNUSED},
        "is_average": int(site.operator.name == "AVERAGE_POOL_2D"),
        "type": NUMBERS[site.output.dtype],
    }
    if site.output.dtype == "float32":
        settings["real_lowest"], settings["real_highest"] = real_range(site)
    else:
        settings["lowest"], settings["highest"] = activation_range(site)
    call = Call(kernel="pool_2d", settings=settings, inputs=site.operator.inputs, outputs=site.operator.outputs)
    return Routine(calls=(call,))
