"""The ends of a .tflite as data is held against them."""

from __future__ import annotations

from edgecompile.frontend.input_spec import InputSpec
from edgecompile.ir.network import Network, Tensor


def ports_of(network: Network) -> tuple[list[InputSpec], list[InputSpec]]:
    """Inputs and outputs of a .tflite as data is held against them: quantized ends take and give real values."""
    main = network.main
    return [_port(main.tensors[i]) for i in main.inputs], [_port(main.tensors[i]) for i in main.outputs]


def is_quantized(tensor: Tensor) -> bool:
    """Whether the tensor's integers stand for real values."""
    return tensor.quantization is not None and tensor.dtype in ("int8", "uint8", "int16")


def not_in_floats(network: Network) -> tuple[Tensor, ...]:
    """Tensors that stand for real values, and do not hold them in float32."""
    return tuple(
        tensor
        for graph in network.subgraphs
        for tensor in graph.tensors
        if is_quantized(tensor) or (tensor.is_constant and tensor.dtype == "float16")
    )


def _port(tensor: Tensor) -> InputSpec:
    signature = tensor.shape_signature or tensor.shape
    shape = (None, *(None if size < 0 else size for size in signature[1:]))
    return InputSpec(name=tensor.name, shape=shape, dtype="float32" if is_quantized(tensor) else tensor.dtype)
