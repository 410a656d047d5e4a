"""What a decoded model must hold before the compiler may trust its numbers: every index points somewhere.

One problem is reported, the first in file order, with its place. The interpreter refuses the
same models, later and with less to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.ir.arity import lacking
from edgecompile.ir.decode import newer
from edgecompile.ir.options import UNIONS, dtype_name
from edgecompile.ir.spelling import printable
from edgecompile.libs.schema import SCHEMA_VERSION, names_of

# Options that name a subgraph.
_CALLS = (
    "subgraph",
    "initSubgraphIndex",
    "thenSubgraphIndex",
    "elseSubgraphIndex",
    "condSubgraphIndex",
    "bodySubgraphIndex",
    "decompositionSubgraphIndex",
    "comparatorSubgraphIndex",
    "updateComputationSubgraphIndex",
)
_MOST_BYTES = 2**62


def verify(model: Any, name: str) -> None:
    """Raise EC214 to EC220, EC222 for the first thing in a ``ModelT`` that points nowhere or makes no sense."""
    if model.version != SCHEMA_VERSION:
        raise _refuse(
            "EC220",
            f"`{name}` has schema version {model.version}",
            Location(file=name),
            (f"limit: version {SCHEMA_VERSION}, the only one that TFLite's interpreters run",),
            ("convert the model again with a current converter",),
        )
    if not model.subgraphs:
        raise _refuse(
            "EC215",
            f"`{name}` holds no subgraph, so there is nothing to run",
            Location(file=name),
            (),
            ("export the model again",),
        )
    for code in model.operatorCodes or ():
        _verify_code(code, name)
    for number, subgraph in enumerate(model.subgraphs):
        _verify_subgraph(model, subgraph, name, f"subgraph {number}" if len(model.subgraphs) > 1 else "")
    _verify_signatures(model, name)
    for entry in model.metadata or ():
        _within(entry.buffer, model.buffers, "buffer", Location(file=name, detail=f"metadata {_text(entry.name)}"))


def builtin_code(code: Any) -> int:
    """The operator of an ``OperatorCodeT``: codes above 127 do not fit the old field, and old files lack the new."""
    return int(max(code.deprecatedBuiltinCode, code.builtinCode))


def _verify_code(code: Any, name: str) -> None:
    if builtin_code(code) not in names_of("BuiltinOperator"):
        raise newer(name, "operatorCodes", f"operator {builtin_code(code)}, which the installed schema does not know")


def _verify_subgraph(model: Any, subgraph: Any, name: str, where: str) -> None:
    tensors = subgraph.tensors or []
    for index, tensor in enumerate(tensors):
        _verify_tensor(model, tensor, Location(file=name, detail=_join(where, f"tensor {index} {_text(tensor.name)}")))
    for side in ("inputs", "outputs"):
        _all_within(_list(getattr(subgraph, side)), tensors, Location(file=name, detail=_join(where, side)))
    for index, operator in enumerate(subgraph.operators or ()):
        _verify_operator(model, operator, tensors, Location(file=name, operator=index, detail=where or None))


def _verify_tensor(model: Any, tensor: Any, place: Location) -> None:
    if dtype_name(tensor.type) is None:
        raise newer(str(place.file), str(place.detail), f"element type {tensor.type}")
    if tensor.buffer != 0:  # 0 says "no constant", also in files that hold no buffer at all
        _within(tensor.buffer, model.buffers, "buffer", place)
    shape = [*_list(tensor.shape), *_list(tensor.shapeSignature)]
    elements = 1
    for size in _list(tensor.shape):
        elements *= max(size, 1)
    if any(size < -1 for size in shape) or elements > _MOST_BYTES // 16:
        raise _refuse(
            "EC218",
            "a tensor's shape cannot be",
            place,
            (f"limit: sizes from 0, -1 for unknown, fewer than 2^58 elements; found: {_list(tensor.shape)}",),
            ("export the model again",),
        )


def _verify_operator(model: Any, operator: Any, tensors: list[Any], place: Location) -> None:
    _within(operator.opcodeIndex, model.operatorCodes, "operator code", place)
    inputs, outputs = _list(operator.inputs), _list(operator.outputs)
    _all_within((i for i in inputs if i != -1), tensors, place)
    _all_within(outputs, tensors, place)
    _all_within((i for i in _list(operator.intermediates) if i != -1), tensors, place)
    for table in (getattr(operator, field) for field in UNIONS):
        for field in _CALLS:
            if hasattr(table, field):
                _within(getattr(table, field), model.subgraphs, "subgraph", place)
        if hasattr(table, "branchSubgraphIndices"):
            for index in _list(table.branchSubgraphIndices):
                _within(index, model.subgraphs, "subgraph", place)
    _verify_whole(model, operator, inputs, outputs, place)


def _verify_whole(model: Any, operator: Any, inputs: list[int], outputs: list[int], place: Location) -> None:
    name = names_of("BuiltinOperator")[builtin_code(model.operatorCodes[operator.opcodeIndex])]
    for wanted, found in lacking(name, operator, inputs, outputs):
        raise _refuse(
            "EC222",
            f"`{name}` lacks what it needs to run",
            place,
            (f"limit: {wanted}; found: {found}",),
            ("the file is damaged or was edited by a faulty tool: export the model again",),
        )


def _verify_signatures(model: Any, name: str) -> None:
    for signature in model.signatureDefs or ():
        place = Location(file=name, detail=f"signature {_text(signature.signatureKey)}")
        _within(signature.subgraphIndex, model.subgraphs, "subgraph", place)
        tensors = model.subgraphs[signature.subgraphIndex].tensors
        for entry in [*(signature.inputs or ()), *(signature.outputs or ())]:
            _within(entry.tensorIndex, tensors, "tensor", place)


def _all_within(indices: Iterable[int], tensors: list[Any], place: Location) -> None:
    for index in indices:
        _within(index, tensors, "tensor", place)


def _within(index: int, several: list[Any] | None, what: str, place: Location) -> None:
    count = len(several or ())
    if not 0 <= index < count:
        raise _refuse(
            "EC216",
            f"{what} {index} is named, and there is none of that number",
            place,
            (f"limit: the file has {count} {what}s, counted from 0; found: {index}",),
            ("the file is damaged or was edited by a faulty tool: export the model again",),
        )


def _refuse(
    code: str, message: str, place: Location, notes: tuple[str, ...], help: tuple[str, ...]
) -> EdgecompileError:
    return bad_input(code, message, place, notes, help)


def _list(vector: Any) -> list[int]:
    return vector.tolist() if isinstance(vector, np.ndarray) else list(vector or ())


def _text(name: bytes | None) -> str:
    return f"`{printable((name or b'').decode('utf-8', 'replace'))}`"


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
