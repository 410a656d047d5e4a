"""Affine quantization of whole arrays, as TensorFlow Lite does it at the edge of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input or output tensor of a model; ``scale`` 0.0: not quantized.

    ``shape`` is the tensor's own (its batch included); -1 in ``signature`` marks a size that is free.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0
    signature: tuple[int, ...] = ()

    @property
    def quantized(self) -> bool:
        """Holds integers that stand for real values."""
        return self.scale != 0.0 and self.dtype not in ("float32", "float16", "float64")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> Port:
        """The inverse of :meth:`to_dict`, also after a trip through JSON."""
        return Port(**{**plain, "shape": tuple(plain["shape"]), "signature": tuple(plain["signature"])})


def quantize(values: Array, port: Port) -> Array:
    """``clip(round(x / scale) + zero_point)`` in float32, halves away from zero: what TFLite's QUANTIZE computes.

    (``AffineQuantize`` in TFLite's reference kernels divides in float32 and rounds with
    ``std::round``; NumPy's own ``round`` would take halves to even.)
    """
    with np.errstate(over="ignore"):  # beyond float32 is beyond the tensor's range too
        scaled = (values.astype(np.float32) / np.float32(port.scale)).astype(np.float64)
    rounded = np.trunc(scaled + np.copysign(0.5, scaled))  # exact: a float32 and a half fit into a float64
    limits = np.iinfo(port.dtype)
    clipped: Array = np.clip(rounded + port.zero_point, limits.min, limits.max).astype(port.dtype)
    return clipped


def dequantize(values: Array, port: Port) -> Array:
    """``scale * (q - zero_point)`` as float32; values that are not quantized are only cast."""
    if not port.quantized:
        return values.astype(np.float32)
    return ((values.astype(np.int64) - port.zero_point) * np.float64(np.float32(port.scale))).astype(np.float32)
