"""Make a small network in a few lines: for tests, and for passes that add whole pieces.

build = NetworkBuilder()
x = build.input("x", (1, 8, 8, 3), "int8", scale=0.5)
w = build.constant("w", weights, scale=(0.1, 0.2), axis=0)
y = build.tensor("y", (1, 8, 8, 2), "int8", scale=0.25, zero_point=-3)
build.op("CONV_2D", [x, w, b], [y], padding="SAME")
network = build.output(y).build()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.ir.network import BITS, EMPTY, Buffer, Network, Operator, Quantization, Signature, Subgraph, Tensor
from edgecompile.ir.options import defaults, option_fields, table_for
from edgecompile.ir.versions import version_of

Scale = float | Sequence[float]
# The schema's default is 0 for each of these, which no kernel accepts.
_STARTING: Mapping[str, Any] = {"stride_w": 1, "stride_h": 1, "stride_d": 1, "depth_multiplier": 1}
_STARTING_BY_OPERATOR: Mapping[str, Mapping[str, Any]] = {"SOFTMAX": {"beta": 1.0}}


class NetworkBuilder:
    """One subgraph, grown tensor by tensor; every method that adds a tensor returns its index."""

    def __init__(self, name: str = "main", description: str = "") -> None:
        self.name, self.description = name, description
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.signatures: list[Signature] = []

    def input(
        self, name: str, shape: Sequence[int], dtype: str = "float32", scale: Scale | None = None, zero_point: int = 0
    ) -> int:
        """A value that the caller gives."""
        self.inputs.append(self.tensor(name, shape, dtype, scale, zero_point))
        return self.inputs[-1]

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "float32",
        scale: Scale | None = None,
        zero_point: int = 0,
        *,
        variable: bool = False,
    ) -> int:
        """A value that an operator computes; -1 in ``shape`` is a size not known before run time (and 1 until then)."""
        signature = tuple(shape) if any(size < 0 for size in shape) else ()
        sizes = tuple(1 if size < 0 else size for size in shape)
        quantization = quantize(scale, zero_point)
        return self._add(name, sizes, dtype, EMPTY, quantization, signature, variable)

    def constant(
        self,
        name: str,
        values: Any,
        dtype: str | None = None,
        scale: Scale | None = None,
        zero_point: int = 0,
        axis: int = 0,
    ) -> int:
        """Stored values, of their own dtype unless one is named (``int4`` and ``int2`` are packed)."""
        array = np.ascontiguousarray(values) if np.ndim(values) else np.asarray(values)
        dtype = dtype or array.dtype.name
        return self._add(name, array.shape, dtype, Buffer(_bytes(array, dtype)), quantize(scale, zero_point, axis))

    def op(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        version: int | None = None,
        custom_code: str | None = None,
        custom_options: bytes = b"",
        **options: Any,
    ) -> int:
        """An operator with its settings; the others are TFLite's defaults, strides 1. Returns the first output or -1.

        ``version``: by default the one that the first input's dtype needs. Raises ValueError for
        an operator or setting that TFLite does not have.
        """
        dtype = self.tensors[(*inputs, *outputs)[0]].dtype if inputs or outputs else ""
        self.operators.append(
            Operator(
                name=name,
                inputs=tuple(inputs),
                outputs=tuple(outputs),
                options=settings(name, options),
                version=version_of(name, dtype) if version is None else version,
                custom_code=custom_code,
                custom_options=custom_options,
            )
        )
        return outputs[0] if outputs else -1

    def output(self, *tensors: int) -> NetworkBuilder:
        """Values that the caller receives, in order."""
        self.outputs += tensors
        return self

    def signature(self, key: str = "serving_default") -> NetworkBuilder:
        """A named entry with all inputs and outputs, by their tensors' names."""
        inputs = {self.tensors[index].name: index for index in self.inputs}
        outputs = {self.tensors[index].name: index for index in self.outputs}
        self.signatures.append(Signature(key=key, subgraph=0, inputs=inputs, outputs=outputs))
        return self

    def subgraph(self) -> Subgraph:
        """What was built so far, as a subgraph."""
        return Subgraph(
            name=self.name,
            tensors=tuple(self.tensors),
            operators=tuple(self.operators),
            inputs=tuple(self.inputs),
            outputs=tuple(self.outputs),
        )

    def build(self) -> Network:
        """What was built so far, as a network of one subgraph."""
        return Network(subgraphs=(self.subgraph(),), signatures=tuple(self.signatures), description=self.description)

    def _add(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str,
        buffer: Buffer,
        quantization: Quantization | None,
        signature: tuple[int, ...] = (),
        variable: bool = False,
    ) -> int:
        self.tensors.append(
            Tensor(
                name=name,
                shape=shape,
                dtype=dtype,
                buffer=buffer,
                quantization=quantization,
                shape_signature=signature,
                is_variable=variable,
            )
        )
        return len(self.tensors) - 1


def quantize(scale: Scale | None, zero_point: int = 0, axis: int = 0) -> Quantization | None:
    """Quantization by one scale or one per slice of ``axis``, rounded to float32 as files hold it; None without."""
    if scale is None:
        return None
    scales = tuple(np.atleast_1d(np.asarray(scale, dtype=np.float32)).tolist())
    return Quantization(scales=scales, zero_points=(zero_point,) * len(scales), axis=axis)


def settings(operator: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of an operator: those given, else strides of 1, else TFLite's defaults.

    Raises ValueError for a setting that the operator does not have.
    """
    every = defaults(operator)
    starting = {**_STARTING, **_STARTING_BY_OPERATOR.get(operator, {})}
    every.update({name: value for name, value in starting.items() if name in every})
    unknown = sorted(set(options) - set(every))
    if unknown:
        raise ValueError(f"`{operator}` has no setting `{unknown[0]}`, only {sorted(every)}")
    return {name: _as_stored(operator, name, value) for name, value in {**every, **options}.items()}


def _as_stored(operator: str, name: str, value: Any) -> Any:
    field = option_fields(str(table_for(operator)))[name]
    if field.dtype == "<f4" and field.kind == "scalar":
        return float(np.float32(value))
    return tuple(value) if isinstance(value, list) else value


def _bytes(array: np.ndarray[Any, Any], dtype: str) -> bytes:
    if dtype in ("int4", "int2", "uint4"):
        return _packed(array, BITS[dtype])
    return array.astype(np.dtype(dtype).newbyteorder("<")).tobytes()


def _packed(array: np.ndarray[Any, Any], bits: int) -> bytes:
    """Low bits first, as TFLite packs them."""
    each = 8 // bits
    codes = array.astype(np.uint8).reshape(-1) & ((1 << bits) - 1)
    codes = np.concatenate([codes, np.zeros(-len(codes) % each, np.uint8)]).reshape(-1, each)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return bytes(np.bitwise_or.reduce(codes << shifts, axis=1).astype(np.uint8))
