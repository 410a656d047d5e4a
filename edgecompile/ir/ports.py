"""A tensor at the edge of a model, as real values see it."""

from __future__ import annotations

from edgecompile.ir.network import Tensor
from edgecompile.libs.affine import Port


def port_of(tensor: Tensor) -> Port:
    """What the tensor is at the edge of the model: its quantization where it has one for all elements."""
    quantization = tensor.quantization
    one = quantization is not None and len(quantization.scales) == 1
    return Port(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype,
        scale=quantization.scales[0] if quantization is not None and one else 0.0,
        zero_point=quantization.zero_points[0] if quantization is not None and one else 0,
    )
