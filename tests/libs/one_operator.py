"""Models of one operator, written with the schema's own object API: no TensorFlow, none of our writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ai_edge_litert.schema_py_generated as schema
import flatbuffers
import numpy as np

DTYPES = {name: getattr(schema.TensorType, name.upper()) for name in ("int8", "uint8", "int16", "int32", "float32")}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A tensor; ``scale`` 0: not quantized; ``value``: a constant; ``signature``: -1 where a size is open."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    scale: float = 0.0
    zero_point: int = 0
    value: Any = None
    signature: tuple[int, ...] = ()


def model(
    operator: str,
    inputs: Sequence[Spec],
    outputs: Sequence[Spec],
    *,
    options: tuple[str, Any] | None = None,
    custom: str = "",
    version: int = 1,
) -> bytes:
    """A flatbuffer; inputs that hold a value are constants of the file, the others are the model's inputs."""
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, operator)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.customCode = custom.encode() if custom else None
    code.version = version
    whole = schema.ModelT()
    whole.version, whole.operatorCodes, whole.buffers = 3, [code], [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(spec, index, whole) for index, spec in enumerate([*inputs, *outputs])]
    graph.inputs = [index for index, spec in enumerate(inputs) if spec.value is None]
    graph.outputs = list(range(len(inputs), len(inputs) + len(outputs)))
    step = schema.OperatorT()
    step.opcodeIndex, step.inputs, step.outputs = 0, list(range(len(inputs))), graph.outputs
    if options is not None:
        step.builtinOptionsType, step.builtinOptions = getattr(schema.BuiltinOptions, options[0]), options[1]
    graph.operators = [step]
    whole.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def quantize(count: int, scale: float, zero_point: int, dtype: str = "int8") -> bytes:
    """float32[1, count] -> QUANTIZE."""
    output = Spec(shape=(1, count), dtype=dtype, scale=scale, zero_point=zero_point)
    return model("QUANTIZE", [Spec(shape=(1, count))], [output])


def dequantize(count: int, scale: float, zero_point: int, dtype: str = "int8") -> bytes:
    """DEQUANTIZE -> float32[1, count]."""
    given = Spec(shape=(1, count), dtype=dtype, scale=scale, zero_point=zero_point)
    return model("DEQUANTIZE", [given], [Spec(shape=(1, count))])


def relu(shape: tuple[int, ...], **quantization: Any) -> bytes:
    """RELU of one tensor; both ends quantized alike where quantization is given."""
    spec = Spec(shape=shape, **quantization)
    return model("RELU", [spec], [Spec(shape=shape, **{k: v for k, v in quantization.items() if k != "signature"})])


def add(first: tuple[int, ...], second: tuple[int, ...]) -> bytes:
    """ADD of two float inputs."""
    return model(
        "ADD",
        [Spec(shape=first), Spec(shape=second)],
        [Spec(shape=first)],
        options=("AddOptions", schema.AddOptionsT()),
    )


def scaled(factors: Sequence[float]) -> bytes:
    """MUL of float32[1, n] by constant factors."""
    shape = (1, len(factors))
    constant = Spec(shape=shape, value=np.array([factors], np.float32))
    return model(
        "MUL", [Spec(shape=shape), constant], [Spec(shape=shape)], options=("MulOptions", schema.MulOptionsT())
    )


def gather(table: np.ndarray[Any, Any], count: int) -> bytes:
    """Rows of a float table by int32[count] indices: fails at run time for an index out of range."""
    constant = Spec(shape=table.shape, value=table.astype(np.float32))
    output = Spec(shape=(count, *table.shape[1:]))
    return model(
        "GATHER",
        [constant, Spec(shape=(count,), dtype="int32")],
        [output],
        options=("GatherOptions", schema.GatherOptionsT()),
    )


def gather_options(axis: int) -> Any:
    """Options of GATHER."""
    options = schema.GatherOptionsT()
    options.axis = axis
    return options


def custom(name: str) -> bytes:
    """A custom operator that no interpreter knows."""
    return model("CUSTOM", [Spec(shape=(1, 4))], [Spec(shape=(1, 4))], custom=name)


def _tensor(spec: Spec, index: int, whole: Any) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type = f"t{index}".encode(), list(spec.shape), DTYPES[spec.dtype]
    tensor.shapeSignature = list(spec.signature) or None
    tensor.buffer = 0
    if spec.value is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(spec.value.tobytes(), np.uint8)
        whole.buffers.append(buffer)
        tensor.buffer = len(whole.buffers) - 1
    if spec.scale:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [spec.scale], [spec.zero_point]
    return tensor
