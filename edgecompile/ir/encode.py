"""A :class:`~edgecompile.ir.network.Network` as the schema's objects, ready to be packed.

Each object starts as its ``raw`` and takes on the modelled fields. Where raw already says the
same, its spelling is kept (no vector or an empty one, a zero point written once or for each scale),
so that what was not changed is written as it was read.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from edgecompile.ir.codes import Buffers, Codes
from edgecompile.ir.network import Network, Operator, Quantization, Signature, Subgraph, Tensor
from edgecompile.ir.options import UNIONS, dtype_code, options_object, options_of, table_for, union_of
from edgecompile.ir.pack import Constants
from edgecompile.ir.reader import OUTSIDE, ints_of, metadata_of, quantization_of, signature_of, text_of
from edgecompile.libs.schema import new, table_of

# Model fields are held to TFLite's own limit: beyond it constants go behind the flatbuffer.
INLINE_LIMIT_BYTES = 2_000_000_000


class Encoded:
    """``model`` to pack, and what of it is ``outside`` the flatbuffer."""

    def __init__(self, network: Network) -> None:
        self.buffers = Buffers(network)
        self.codes = Codes(network)
        self.outside: list[Any] = []
        self.model = self._model(network)

    def _model(self, network: Network) -> Any:
        model = copy(network.raw) if network.raw is not None else new("Model")
        model.version = network.version
        _set_text(model, "description", network.description)
        model.subgraphs = [self._subgraph(subgraph) for subgraph in network.subgraphs]
        model.operatorCodes = self.codes.objects(model.operatorCodes)
        self._set_metadata(model, network)
        model.buffers = self._constants() or model.buffers
        if tuple(signature_of(raw) for raw in model.signatureDefs or ()) != network.signatures:
            model.signatureDefs = [_signature(signature) for signature in network.signatures] or None
        return model

    def _constants(self) -> list[Any]:
        total = sum(len(buffer) for buffer in self.buffers.all)
        constants = []
        for buffer in self.buffers.all:
            raw = copy(buffer.raw) if buffer.raw is not None else new("Buffer")
            outside = len(buffer) > 0 and (raw.offset >= OUTSIDE or total > INLINE_LIMIT_BYTES)
            raw.offset = raw.offset if raw.offset < OUTSIDE else 0
            constants.append(Constants(buffer.data, raw, outside))
        self.outside = [item for item in constants if item.outside] + self.outside
        return constants

    def _set_metadata(self, model: Any, network: Network) -> None:
        entries = [(text_of(entry.name), entry.buffer) for entry in model.metadata or ()]
        kept = all(index < len(self.buffers.all) for _, index in entries) and _same_buffers(
            metadata_of(model.metadata, tuple(self.buffers.all)), network.metadata
        )
        if not kept:
            model.metadata = [_metadata(name, self.buffers.index(data)) for name, data in network.metadata.items()]

    def _subgraph(self, subgraph: Subgraph) -> Any:
        made = copy(subgraph.raw) if subgraph.raw is not None else new("SubGraph")
        _set_text(made, "name", subgraph.name)
        made.tensors = [self._tensor(tensor) for tensor in subgraph.tensors] or made.tensors
        made.operators = [self._operator(operator) for operator in subgraph.operators] or made.operators
        _set_ints(made, "inputs", subgraph.inputs)
        _set_ints(made, "outputs", subgraph.outputs)
        return made

    def _tensor(self, tensor: Tensor) -> Any:
        made = copy(tensor.raw) if tensor.raw is not None else _fresh_tensor()
        made.buffer = self.buffers.index(tensor.buffer, made.buffer)
        _set_text(made, "name", tensor.name)
        _set_ints(made, "shape", tensor.shape)
        _set_ints(made, "shapeSignature", tensor.shape_signature)
        made.type, made.isVariable = dtype_code(tensor.dtype), tensor.is_variable
        if quantization_of(made.quantization, tensor.shape) != tensor.quantization:
            made.quantization = _quantization(tensor.quantization, tensor.shape)
        return made

    def _operator(self, operator: Operator) -> Any:
        made = copy(operator.raw) if operator.raw is not None else new("Operator")
        renamed = operator.raw is None or not self.codes.says(made.opcodeIndex, operator)
        made.opcodeIndex = self.codes.index(operator, made.opcodeIndex)
        _set_ints(made, "inputs", operator.inputs)
        _set_ints(made, "outputs", operator.outputs)
        # The text of floats tells nan from other numbers and -0.0 from 0.0, which == does not.
        if renamed or repr(options_of(made)) != repr(dict(operator.options)):
            _set_options(made, operator)
        self._set_custom_options(made, operator)
        return made

    def _set_custom_options(self, made: Any, operator: Operator) -> None:
        if made.largeCustomOptionsOffset >= OUTSIDE and operator.custom_options:
            self.outside.append(_LargeOptions(made, operator.custom_options))
            return
        made.largeCustomOptionsOffset = made.largeCustomOptionsSize = 0
        if made.customOptions is None or bytes(made.customOptions) != operator.custom_options:
            data = np.frombuffer(operator.custom_options, dtype=np.uint8)
            made.customOptions = data if operator.custom_options else None


class _LargeOptions:
    """Custom options behind the flatbuffer: passes its offset on to the operator."""

    def __init__(self, operator: Any, data: bytes) -> None:
        self.operator, self.data = operator, data
        operator.largeCustomOptionsSize = len(data)

    @property
    def offset(self) -> int:
        """Where the options are in the file."""
        return int(self.operator.largeCustomOptionsOffset)

    @offset.setter
    def offset(self, offset: int) -> None:
        self.operator.largeCustomOptionsOffset = offset


def _fresh_tensor() -> Any:
    made = new("Tensor")
    # A tensor without a shape vector and without this flag counts as one of unknown rank.
    made.hasRank, made.shape = True, np.empty(0, dtype=np.int32)
    return made


def _quantization(quantization: Quantization | None, shape: tuple[int, ...]) -> Any:
    if quantization is None:
        return None
    made = copy(quantization.raw) if quantization.raw is not None else new("QuantizationParameters")
    if quantization_of(made, shape) != quantization:
        made.scale = np.array(quantization.scales, dtype=np.float32)
        made.zeroPoint = np.array(quantization.zero_points, dtype=np.int64)
        made.quantizedDimension = quantization.axis
    return made


def _set_options(made: Any, operator: Operator) -> None:
    table = table_for(operator.name)
    if table is None and operator.options:
        raise ValueError(f"`{operator.name}` has no settings, found {dict(operator.options)}")
    base = next((value for name in UNIONS if (value := getattr(made, name)) is not None), None)
    for name in UNIONS:
        setattr(made, name, None)
        setattr(made, f"{name}Type", 0)
    if table is not None:
        field, code = union_of(table)
        base = base if base is not None and table_of(base) == table else None
        setattr(made, field, options_object(table, operator.options, base))
        setattr(made, f"{field}Type", code)


def _signature(signature: Signature) -> Any:
    made = new("SignatureDef")
    made.signatureKey, made.subgraphIndex = _bytes(signature.key), signature.subgraph
    made.inputs = [_argument(name, index) for name, index in signature.inputs.items()]
    made.outputs = [_argument(name, index) for name, index in signature.outputs.items()]
    return made


def _argument(name: str, tensor: int) -> Any:
    made = new("TensorMap")
    made.name, made.tensorIndex = _bytes(name), tensor
    return made


def _metadata(name: str, buffer: int) -> Any:
    made = new("Metadata")
    made.name, made.buffer = _bytes(name), buffer
    return made


def _same_buffers(found: dict[str, Any], wanted: Any) -> bool:
    return list(found) == list(wanted) and all(found[name] is wanted[name] for name in found)


def _set_text(made: Any, field: str, text: str) -> None:
    if text_of(getattr(made, field)) != text:
        setattr(made, field, _bytes(text))


def _set_ints(made: Any, field: str, numbers: tuple[int, ...]) -> None:
    if ints_of(getattr(made, field)) != numbers:
        setattr(made, field, np.array(numbers, dtype=np.int32))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
