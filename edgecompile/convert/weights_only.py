"""Weights in fewer bytes while activations stay float32: float16, and int8 that kernels multiply dynamically.

TensorFlow makes these on the way from a graph only, not of a flatbuffer; so they are made here, in the form that its
converter gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgecompile.ir.compact import drop_unused
from edgecompile.ir.network import Buffer, Network, Operator, Quantization, Subgraph, Tensor
from edgecompile.ir.rewrite import replace_subgraph

Array = np.ndarray[Any, Any]

# Operator -> {input slot: axis of the scales; None: one scale}. With int8 weights and float activations they have the
# version of _VERSIONS. Observed of TensorFlow 2.20's converter with Optimize.DEFAULT and no samples.
_DYNAMIC: Mapping[str, Mapping[int, int | None]] = {
    "CONV_2D": {1: 0},
    "DEPTHWISE_CONV_2D": {1: 3},
    "TRANSPOSE_CONV": {1: 0},
    "FULLY_CONNECTED": {1: 0},
    "UNIDIRECTIONAL_SEQUENCE_LSTM": {slot: None for slot in range(1, 9)},
    "GATHER": {0: None},
}
_VERSIONS = {
    "CONV_2D": 5,
    "DEPTHWISE_CONV_2D": 6,
    "TRANSPOSE_CONV": 2,
    "FULLY_CONNECTED": 12,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "GATHER": 2,
}
_PER_TENSOR_DENSE_VERSION = 9
# Smaller tensors stay float32; the same source.
_FEWEST_ELEMENTS = 1024


def half_weights(network: Network) -> Network:
    """Every float32 constant of the main subgraph as float16, read through a DEQUANTIZE.

    What does not fit float16's range becomes its largest number, as in TensorFlow's converter.
    """
    draft = _Draft(network.main)
    ends = {*network.main.inputs, *network.main.outputs}
    for index, tensor in enumerate(network.main.tensors):
        if tensor.dtype == "float32" and tensor.is_constant and not tensor.is_sparse and index not in ends:
            limit = float(np.finfo(np.float16).max)
            half = np.clip(_values(tensor), -limit, limit).astype(np.float16)
            stored = draft.add(replace(tensor, name=f"{tensor.name}/float16", dtype="float16", buffer=_buffer(half)))
            draft.tensors[index] = replace(tensor, buffer=Buffer(b""), raw=None)
            draft.first.append(Operator(name="DEQUANTIZE", inputs=(stored,), outputs=(index,), version=3))
    return draft.build(network)


def integer_weights(network: Network, *, per_tensor_dense: bool = False) -> Network:
    """Weights of at least 1,024 elements as int8 with symmetric scales; the kernels quantize activations.

    ``per_tensor_dense``: one scale for a FULLY_CONNECTED's weights. Rows that a GATHER reads are dequantized after it.
    """
    draft = _Draft(network.main)
    for place, operator in enumerate(network.main.operators):
        slots = _DYNAMIC.get(operator.name, {})
        if not slots or not all(_is_large(network.main, operator, slot) for slot in slots):
            continue
        whole = per_tensor_dense and operator.name == "FULLY_CONNECTED"
        inputs = list(operator.inputs)
        for slot, axis in slots.items():
            inputs[slot] = draft.quantized(inputs[slot], None if whole else axis)
        version = _PER_TENSOR_DENSE_VERSION if whole else _VERSIONS[operator.name]
        changed = replace(operator, inputs=tuple(inputs), version=max(version, operator.version))
        if "asymmetric_quantize_inputs" in operator.options:
            changed = replace(changed, options={**operator.options, "asymmetric_quantize_inputs": True})
        draft.operators[place] = [changed] if operator.name != "GATHER" else draft.dequantized(changed)
    draft.level_versions()
    return draft.build(network)


@dataclass
class _Draft:
    """Tensors and operators while they change; several operators may stand where one was."""

    main: Subgraph
    tensors: list[Tensor] = field(init=False)
    operators: list[list[Operator]] = field(init=False)
    first: list[Operator] = field(default_factory=list)
    made: dict[tuple[int, int | None], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tensors = list(self.main.tensors)
        self.operators = [[operator] for operator in self.main.operators]

    def add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def quantized(self, index: int, axis: int | None) -> int:
        """The tensor of the constant's int8 form, made once."""
        if (index, axis) not in self.made:
            tensor = self.main.tensors[index]
            codes, scales = symmetric(_values(tensor), axis)
            quantization = Quantization(
                scales=tuple(map(float, scales)), zero_points=(0,) * len(scales), axis=axis or 0
            )
            self.made[index, axis] = self.add(
                replace(
                    tensor, name=f"{tensor.name}/int8", dtype="int8", buffer=_buffer(codes), quantization=quantization
                )
            )
        return self.made[index, axis]

    def dequantized(self, gather: Operator) -> list[Operator]:
        """The GATHER of integers, and a DEQUANTIZE that gives what it gave before."""
        table, given = self.tensors[gather.inputs[0]], self.tensors[gather.outputs[0]]
        rows = self.add(
            replace(given, name=f"{given.name}/int8", dtype="int8", quantization=table.quantization, raw=None)
        )
        back = Operator(name="DEQUANTIZE", inputs=(rows,), outputs=gather.outputs, version=2)
        return [replace(gather, outputs=(rows,)), back]

    def level_versions(self) -> None:
        """One version for all operators of a kind, the highest: the converter's exporter keeps one code for them."""
        highest: dict[str, int] = {}
        for operator in (operator for place in self.operators for operator in place):
            highest[operator.label] = max(operator.version, highest.get(operator.label, 0))
        self.operators = [
            [replace(operator, version=highest[operator.label]) for operator in place] for place in self.operators
        ]

    def build(self, network: Network) -> Network:
        operators = (*self.first, *(operator for place in self.operators for operator in place))
        main = replace(self.main, tensors=tuple(self.tensors), operators=operators)
        return drop_unused(replace_subgraph(network, main))


def symmetric(values: Array, axis: int | None) -> tuple[Array, Array]:
    """``(int8 codes, float32 scales)``, a scale of ``max |w| / 127`` for each slice of ``axis``; 1 for one of zeros."""
    others = tuple(i for i in range(values.ndim) if i != axis) if axis is not None else None
    largest = np.abs(values).max(axis=others, keepdims=True).astype(np.float64)
    scales = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    codes = np.clip(np.round(values / scales), -127, 127).astype(np.int8)
    return codes, scales.reshape(-1)


def _is_large(main: Subgraph, operator: Operator, slot: int) -> bool:
    index = operator.inputs[slot] if slot < len(operator.inputs) else -1
    tensor = main.tensor(index)
    return (
        tensor is not None
        and tensor.is_constant
        and not tensor.is_sparse
        and tensor.dtype == "float32"
        and tensor.elements >= _FEWEST_ELEMENTS
    )


def _values(tensor: Tensor) -> Array:
    array = tensor.array
    assert array is not None
    return array


def _buffer(array: Array) -> Buffer:
    return Buffer(np.ascontiguousarray(array).tobytes())
