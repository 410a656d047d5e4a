"""An int8 network with the same operators in other numbers: 16-bit activations with 8-bit weights, or floats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.ir.network import Buffer, Network, Quantization, Subgraph, Tensor


def retyped(network: Network, dtype: str) -> Network:
    """The network in ``int16`` (int8 weights, int64 biases) or ``float32``; its values are only of that kind.

    What it computes is not what it computed before: it is there to count what its kernels take.
    """
    main = network.main
    weights = {operator.inputs[1] for operator in main.operators if _has_weights(main, operator.inputs)}
    biases = {i for operator in main.operators for i in operator.inputs[2:3] if operator.inputs[1] in weights}
    tensors = tuple(_tensor(t, dtype, i in weights, i in biases) for i, t in enumerate(main.tensors))
    return replace(network, subgraphs=(replace(main, tensors=tensors),), metadata={}, buffers=())


def _has_weights(graph: Subgraph, inputs: tuple[int, ...]) -> bool:
    return len(inputs) > 1 and graph.tensors[inputs[1]].is_constant and graph.tensors[inputs[1]].dtype == "int8"


def _tensor(tensor: Tensor, dtype: str, is_weight: bool, is_bias: bool) -> Tensor:
    if not (is_bias or tensor.dtype == "int8"):
        return tensor
    if dtype == "float32":
        return _float(tensor)
    if is_weight:
        return tensor
    if is_bias:
        return replace(tensor, dtype="int64", buffer=_held(tensor, np.int64), raw=None)
    found = tensor.quantization
    # A softmax gives steps of 1/256 in 8 bits and of 1/32768 in 16.
    scales = tuple(scale / 128 for scale in found.scales) if found else (1 / 128,)
    return replace(tensor, dtype="int16", quantization=Quantization(scales=scales, zero_points=(0,)), raw=None)


def _float(tensor: Tensor) -> Tensor:
    buffer = _held(tensor, np.float32) if tensor.is_constant else tensor.buffer
    return replace(tensor, dtype="float32", quantization=None, buffer=buffer, raw=None)


def _held(tensor: Tensor, dtype: type) -> Buffer:
    values = tensor.array
    assert values is not None
    return Buffer((values * (0.01 if dtype is np.float32 else 1)).astype(dtype).tobytes())
