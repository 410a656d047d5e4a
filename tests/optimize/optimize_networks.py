"""Small networks for the tests of the passes, written out tensor by tensor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.ir.network import EMPTY, Buffer, Network, Operator, Quantization, Signature, Subgraph, Tensor

Shape = tuple[int, ...]


class Net:
    """Tensors get numbers in order; quantized ones scale 0.1 and zero point 0 unless told otherwise."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(
        self, shape: Shape, dtype: str = "int8", scale: float = 0.1, zero: int = 0, name: str = "", **fields: Any
    ) -> int:
        """A runtime tensor."""
        quantized = dtype in ("int8", "uint8", "int16")
        parameters = Quantization(scales=(scale,), zero_points=(zero,)) if quantized else None
        self.tensors.append(
            Tensor(
                **{
                    "name": name or f"t{len(self.tensors)}",
                    "shape": shape,
                    "dtype": dtype,
                    "quantization": parameters,
                    **fields,
                }
            )
        )
        return len(self.tensors) - 1

    def constant(self, values: Any, dtype: str = "int32", buffer: Buffer | None = None, **fields: Any) -> int:
        """A constant; int32 has no quantization here, ``quantization`` may give one."""
        array = np.asarray(values, dtype=dtype)
        held = buffer or Buffer(array.tobytes())
        return self.tensor(array.shape, dtype, buffer=held, **fields)

    def weights(self, shape: Shape, dtype: str = "int8", seed: int = 0, **fields: Any) -> int:
        """Random weights: integers over the whole range, or floats."""
        draw = np.random.default_rng(seed)
        if dtype == "float32":
            return self.constant(draw.normal(size=shape), dtype, **fields)
        return self.constant(draw.integers(-127, 128, shape), dtype, scale=0.02, **fields)

    def bias(self, count: int, dtype: str = "int32", scale: float = 0.002) -> int:
        """A bias; its scale is that of input times weights."""
        draw = np.random.default_rng(count)
        if dtype == "float32":
            return self.constant(draw.normal(size=count), dtype)
        parameters = Quantization(scales=(scale,), zero_points=(0,))
        return self.constant(draw.integers(-500, 500, count), dtype, quantization=parameters)

    def replace_constant(self, index: int, values: Any) -> None:
        """Give a constant other values of its dtype."""
        array = np.asarray(values, dtype=self.tensors[index].dtype)
        self.tensors[index] = replace(self.tensors[index], buffer=Buffer(array.tobytes()))

    def op(self, name: str, inputs: list[int], outputs: list[int], version: int = 1, **options: Any) -> int:
        """An operator; gives its first output."""
        self.operators.append(
            Operator(name=name, inputs=tuple(inputs), outputs=tuple(outputs), options=options, version=version)
        )
        return outputs[0]

    def conv(self, source: int, result: int, kernel: int = 3, name: str = "CONV_2D", **options: Any) -> int:
        """CONV_2D or DEPTHWISE_CONV_2D with random weights in the source's kind of numbers."""
        given, made = self.tensors[source], self.tensors[result]
        floats = given.dtype == "float32"
        kind = "float32" if floats else "int8"
        outer = made.shape[3] if name == "CONV_2D" else 1
        inner = given.shape[3] if name == "CONV_2D" else made.shape[3]
        weights = self.weights((outer, kernel, kernel, inner), kind)
        plain: dict[str, Any] = {"stride_h": 1, "stride_w": 1, "dilation_h_factor": 1, "dilation_w_factor": 1}
        if name != "CONV_2D":
            plain["depth_multiplier"] = made.shape[3] // given.shape[3]
        plain = {**plain, "padding": "SAME", "fused_activation_function": "NONE", **options}
        bias = self.bias(made.shape[3], "float32" if floats else "int32")
        return self.op(name, [source, weights, bias], [result], 1 if floats else 3, **plain)

    def network(self, inputs: list[int], outputs: list[int], signature: bool = False) -> Network:
        """The network; with a signature ``serving_default`` naming inputs and outputs when asked for."""
        main = Subgraph(
            name="main",
            tensors=tuple(self.tensors),
            operators=tuple(self.operators),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
        )
        named = Signature(
            key="serving_default",
            subgraph=0,
            inputs={f"in{i}": t for i, t in enumerate(inputs)},
            outputs={f"out{i}": t for i, t in enumerate(outputs)},
        )
        buffers: dict[int, Buffer] = {id(EMPTY): EMPTY}
        buffers.update((id(t.buffer), t.buffer) for t in self.tensors if t.is_constant)
        return Network(
            subgraphs=(main,),
            buffers=tuple(buffers.values()),
            signatures=(named,) if signature else (),
            description="t",
        )


def labels(network: Network) -> list[str]:
    """Operator names in order; ``CONV_2D+RELU`` where an activation is fused, ``CONV_2D/SAME`` where it pads."""
    found = []
    for operator in network.main.operators:
        activation = operator.options.get("fused_activation_function", "NONE")
        found.append(operator.label + (f"+{activation}" if activation != "NONE" else ""))
    return found
