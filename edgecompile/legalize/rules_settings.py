"""Rules on an operator's version and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.core.units import counted
from edgecompile.ir.runtimes import last_version
from edgecompile.legalize.context import Context, axes_of

NOT_KNOWN = "axes computed at run time"


def max_version(context: Context, limit: int) -> str | None:
    """the operator's version is at most {limit}

    an older form of the layer avoids the newer version; `edgecompile inspect` shows the versions
    """
    return str(context.operator.version) if context.operator.version > limit else None


def max_release(context: Context, limit: str) -> str | None:
    """the operator's version is one that TensorFlow Lite {limit} reads

    convert the model with that release of TensorFlow; `edgecompile inspect` shows the versions
    """
    major, _, minor = limit.partition(".")
    operator = context.operator
    if operator.name == "CUSTOM" or operator.version <= last_version(operator.name, (int(major), int(minor))):
        return None
    return str(operator.version)


def min_level(context: Context, limit: int) -> str | None:
    """the target's level is at least {limit}

    compile for a target of that level, when the devices allow it
    """
    level = context.target.level
    return str(level) if level is not None and level < limit else None


def fused_activation(context: Context, limit: Sequence[str]) -> str | None:
    """the activation fused into it is {limit}

    use the activation as a layer of its own
    """
    found = context.option("fused_activation_function") or "NONE"
    return None if found in limit else str(found)


def options(context: Context, limit: Mapping[str, Sequence[Any]]) -> str | None:
    """its settings are {limit}

    change the layer so that it uses these settings
    """
    for name, allowed in limit.items():
        found = context.option(name)
        if found is not None and found not in allowed:
            return f"`{name}` is {str(found).lower() if isinstance(found, bool) else found}"
    return None


def options_given(context: Context, limit: Sequence[str]) -> str | None:
    """its settings {limit} are given

    name the axes in the layer
    """
    return next((f"`{name}` is empty" for name in limit if _is_empty(context.option(name))), None)


def max_dilation(context: Context, limit: int) -> str | None:
    """its dilation is at most {limit}

    use a larger kernel or a stride instead of `dilation_rate`
    """
    found = _dilation(context)
    return f"{found[0]} x {found[1]}" if max(found) > limit else None


def same_dilation(context: Context, limit: bool) -> str | None:
    """its dilation is the same in both directions

    use one number as `dilation_rate`
    """
    found = _dilation(context)
    return f"{found[0]} x {found[1]}" if found[0] != found[1] else None


def no_groups(context: Context, limit: bool) -> str | None:
    """its weights have as many input channels as its input has

    use a convolution without `groups`, or split the channels into convolutions of their own
    """
    data, weights = context.data, context.weights
    if data is None or weights is None or data.shape[-1:] == weights.shape[-1:]:
        return None
    return f"{counted(data.shape[-1], 'channel')} in the input, {weights.shape[-1]} in the weights"


def max_window(context: Context, limit: int) -> str | None:
    """its window has at most {limit} elements

    pool in two steps
    """
    height, width = context.option("filter_height") or 1, context.option("filter_width") or 1
    return f"{height} x {width} = {height * width}" if height * width > limit else None


def unit_strides(context: Context, limit: bool) -> str | None:
    """all its strides are 1

    take every element and use a stride in a convolution or a pooling layer
    """
    strides = context.values(3)
    if strides is None:
        return "strides computed at run time"
    return None if bool(np.all(strides == 1)) else f"strides {strides.reshape(-1).tolist()}"


def not_batch(context: Context, limit: bool) -> str | None:
    """it leaves the batch (axis 0) alone

    let the layer work along another axis than the first
    """
    axes = axes_of(context)
    if axes is None:
        return NOT_KNOWN
    return f"axes {list(axes)}" if 0 in axes else None


def channel_multiple(context: Context, limit: int) -> str | None:
    """when it works along the channels, their number is a multiple of {limit}

    make the number of channels a multiple of that, or work along height and width only
    """
    axes, data = axes_of(context), context.data
    if axes is None or data is None:
        return NOT_KNOWN
    along = len(data.shape) == 4 and 3 in axes and data.shape[3] % limit
    return f"{data.shape[3]} channels in {data}" if along else None


def spatial_axes(context: Context, limit: bool) -> str | None:
    """it works along height and width only

    keep the channels as they are, for example with `GlobalAveragePooling2D`
    """
    axes, data = axes_of(context), context.data
    if axes is None or data is None:
        return NOT_KNOWN
    return f"axes {list(axes)}" if len(data.shape) == 4 and not set(axes) <= {1, 2} else None


def axis_not_last(context: Context, limit: bool) -> str | None:
    """its axis is not the last

    stack or unstack along an earlier axis
    """
    axes, data = axes_of(context), context.data
    if axes is None or data is None:
        return NOT_KNOWN
    last = len(data.shape) - (context.operator.name != "PACK")
    return f"axis {axes[0]} of {last + 1}" if last in axes else None


def squeeze_leading(context: Context, limit: bool) -> str | None:
    """it removes leading dimensions only

    use a reshape instead of a squeeze
    """
    dims = [int(dim) for dim in context.option("squeeze_dims") or ()]
    return None if sorted(dims) == list(range(len(dims))) else f"dimensions {dims}"


def _dilation(context: Context) -> tuple[int, int]:
    return context.option("dilation_h_factor") or 1, context.option("dilation_w_factor") or 1


def _is_empty(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)
