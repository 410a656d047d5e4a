"""Numbers of element types, and what the kernels that take several of them ask: twin of ``elements.h``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgecompile.ir.network import Tensor
from edgecompile.kernels.quantities import fused_bounds, is_quantized
from edgecompile.kernels.routine import Overlap, Site

NUMBERS: Mapping[str, int] = {
    "int8": 0,
    "uint8": 1,
    "int16": 2,
    "uint16": 3,
    "int32": 4,
    "uint32": 5,
    "int64": 6,
    "float32": 7,
    "bool": 8,
}
# The largest finite float32: what stands for no bound, as in the reference.
LARGEST = float(np.finfo(np.float32).max)


def of_one_type(dtypes: tuple[str, ...], *tensors: Tensor | None) -> str | None:
    """Why tensors are not all of one of these types, the whole numbers of 8 and 16 bits with a scale; None: they are.

    int16 has no zero point, as in TensorFlow Lite's scheme of 16-bit activations.
    """
    first = tensors[0]
    if first is None or first.dtype not in dtypes or any(t is None or t.dtype != first.dtype for t in tensors):
        return f"element types other than {one_of(dtypes)}"
    if first.dtype in ("int8", "int16") and not all(is_quantized(tensor, first.dtype) for tensor in tensors):
        return f"{first.dtype} without one scale"
    if first.dtype == "int16" and any(t and t.quantization and any(t.quantization.zero_points) for t in tensors):
        return "int16 with a zero point"
    return None


def one_of(dtypes: tuple[str, ...]) -> str:
    """Types in words."""
    return dtypes[0] if len(dtypes) == 1 else f"{', '.join(dtypes[:-1])} and {dtypes[-1]}"


def real_range(site: Site) -> tuple[float, float]:
    """Lowest and highest float32 result that the fused activation leaves."""
    low, high = fused_bounds(site)
    return -LARGEST if low is None else low, LARGEST if high is None else high


def element_by_element(site: Site) -> tuple[Overlap, ...]:
    """The output may begin at the first input or below it where its elements are not wider."""
    source, output = site.given(0), site.output
    if source.is_constant or output.size_bytes > source.size_bytes:
        return ()
    return (Overlap(over=site.operator.outputs[0], under=site.operator.inputs[0], distance=0),)
