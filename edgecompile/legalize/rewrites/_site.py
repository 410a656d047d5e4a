"""One operator in its surroundings while it is rewritten: what it reads, who reads it, and new tensors beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.build import settings
from edgecompile.ir.graph import consumers_of, producers_of
from edgecompile.ir.network import EMPTY, Buffer, Network, Operator, Quantization, Subgraph, Tensor
from edgecompile.ir.versions import version_of
from edgecompile.legalize.context import Context
from edgecompile.legalize.judge import judge

Array = np.ndarray[Any, Any]
Step = Callable[["Site"], "tuple[Operator, ...] | None"]
EIGHT_BITS = ("int8", "uint8")
# TFLite multiplies the scales of FULLY_CONNECTED in float32, those of CONV_2D in float64, so that their factors may
# differ in the last bit; a sum exactly between two steps can then fall to either.
BY_ANOTHER_FACTOR = "within 1 step of the outputs of each one, which differ where a sum is exactly between two steps"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Operator ``index`` of a subgraph; ``tensors`` are the subgraph's and the ones added so far."""

    network: Network
    subgraph: Subgraph
    target: Target
    index: int
    tensors: list[Tensor]
    producers: Mapping[int, int]
    consumers: Mapping[int, tuple[int, ...]]
    known: frozenset[int] = field(default_factory=frozenset)

    @property
    def operator(self) -> Operator:
        """The operator itself."""
        return self.subgraph.operators[self.index]

    @property
    def refused(self) -> bool:
        """By its own rules the target does not accept the operator as it is."""
        context = Context(
            network=self.network,
            subgraph=self.subgraph,
            index=self.index,
            target=self.target,
            producers=self.producers,
        )
        return not judge(context).accepted

    @property
    def result(self) -> Tensor:
        """The first output."""
        return self.tensors[self.operator.outputs[0]]

    def input(self, position: int) -> Tensor | None:
        """An input, None where it is left out."""
        index = self.operator.inputs[position] if position < len(self.operator.inputs) else -1
        return self.tensors[index] if index >= 0 else None

    def constant(self, position: int) -> Array | None:
        """The values of a constant input, None where it is computed, left out or may change."""
        tensor = self.input(position)
        return tensor.array if tensor is not None and not tensor.is_variable else None

    def writer(self, tensor: int) -> Operator | None:
        """The operator that computes a tensor."""
        index = self.producers.get(tensor)
        return None if index is None else self.subgraph.operators[index]

    def value(self, suffix: str, shape: Sequence[int], dtype: str, quantization: Quantization | None) -> int:
        """A new tensor that an operator will compute, named after the output."""
        return self._add(suffix, tuple(shape), dtype, quantization, EMPTY)

    def like(self, suffix: str, tensor: Tensor, shape: Sequence[int] | None = None) -> int:
        """A new computed tensor of the type and quantization of another one."""
        return self.value(suffix, tensor.shape if shape is None else shape, tensor.dtype, tensor.quantization)

    def store(self, suffix: str, values: Any, dtype: str, quantization: Quantization | None = None) -> int:
        """A new constant."""
        array = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
        shape = np.shape(values)
        return self._add(suffix, shape, dtype, quantization, Buffer(array.tobytes()))

    def keep(self, suffix: str, tensor: Tensor, shape: Sequence[int], quantization: Quantization | None = None) -> int:
        """A new constant that shares another one's bytes, in another shape."""
        return self._add(suffix, tuple(shape), tensor.dtype, quantization or tensor.quantization, tensor.buffer)

    def bias(self) -> int:
        """The bias of a dense layer, or zeros where it has none: a convolution of 8 bits needs one."""
        inputs, x, weights = self.operator.inputs, self.input(0), self.input(1)
        if len(inputs) > 2 and inputs[2] >= 0:
            return inputs[2]
        assert x is not None and weights is not None and x.quantization and weights.quantization
        scales = tuple(float(np.float32(x.quantization.scales[0] * scale)) for scale in weights.quantization.scales)
        per_output = Quantization(scales=scales, zero_points=(0,) * len(scales))
        return self.store("bias", np.zeros(weights.shape[0], np.int32), "int32", per_output)

    def reshape(self, source: int, result: int) -> Operator:
        """A RESHAPE from one tensor to another of as many elements."""
        shape = self.tensors[result].shape
        sizes = self.store("shape", np.asarray(shape, np.int32), "int32")
        return make("RESHAPE", (source, sizes), (result,), version=1, new_shape=tuple(shape))

    def _add(
        self, suffix: str, shape: tuple[int, ...], dtype: str, quantization: Quantization | None, buffer: Buffer
    ) -> int:
        first = self.result.name.split(";")[0]
        self.tensors.append(
            Tensor(name=f"{first}_{suffix}", shape=shape, dtype=dtype, quantization=quantization, buffer=buffer)
        )
        return len(self.tensors) - 1


def make(
    name: str, inputs: Sequence[int], outputs: Sequence[int], dtype: str = "int8", version: int = 0, **options: Any
) -> Operator:
    """An operator with TFLite's default settings but for these, of the version that activations of ``dtype`` need."""
    return Operator(
        name=name,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        options=settings(name, options),
        version=version or version_of(name, dtype),
    )


def rewrite(network: Network, target: Target, step: Step) -> tuple[Network, list[str]]:
    """Give every operator that gives something to ``step``; what it returns takes the operator's place.

    The very network where ``step`` gave None for every operator. What falls out of use is left to ``optimize``.
    """
    words: list[str] = []
    subgraphs = []
    for number, subgraph in enumerate(network.subgraphs):
        tensors = list(subgraph.tensors)
        operators: list[Operator] = []
        surroundings = (producers_of(subgraph), consumers_of(subgraph), known_outside(network, number))
        for index, operator in enumerate(subgraph.operators):
            site = Site(
                network=network, subgraph=subgraph, target=target, index=index, tensors=tensors,
                producers=surroundings[0], consumers=surroundings[1], known=surroundings[2],
            )  # fmt: skip
            found = step(site) if operator.outputs else None  # CALL_ONCE and ASSIGN_VARIABLE give nothing
            operators += (operator,) if found is None else found
            words += [] if found is None else [operator.label]
        subgraphs.append(replace(subgraph, tensors=tuple(tensors), operators=tuple(operators)))
    return (replace(network, subgraphs=tuple(subgraphs)), words) if words else (network, [])


def known_outside(network: Network, number: int) -> frozenset[int]:
    """Tensors of a subgraph that its caller knows: inputs, outputs, and what signatures name."""
    subgraph = network.subgraphs[number]
    named = (
        tensor
        for signature in network.signatures
        if signature.subgraph == number
        for tensor in (*signature.inputs.values(), *signature.outputs.values())
    )
    return frozenset({*subgraph.inputs, *subgraph.outputs, *named})


def affine(tensor: Tensor | None) -> tuple[float, int] | None:
    """Scale and zero point of a tensor of 8 bits that has one of each; None for any other."""
    if tensor is None or tensor.dtype not in EIGHT_BITS or tensor.quantization is None or tensor.is_dynamic:
        return None
    scales, zeros = tensor.quantization.scales, tensor.quantization.zero_points
    return (scales[0], zeros[0]) if len(scales) == len(zeros) == 1 else None


def quantization(scale: float, zero_point: int) -> Quantization:
    """One scale, rounded to float32 as files hold it."""
    return Quantization(scales=(float(np.float32(scale)),), zero_points=(zero_point,))


def same_scale(a: Tensor, b: Tensor) -> bool:
    """Equal element type and quantization: the same number stands for the same value in both."""
    return a.dtype == b.dtype and affine(a) is not None and affine(a) == affine(b)
