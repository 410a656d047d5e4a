"""The converter's own schema objects: parse, write, and the names of things in them.

Conversion happens beside TensorFlow, whose converter ends with these very functions; the rest of
the compiler reads models through ``ir``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from edgecompile.ir.layer_names import NAMELESS, layer_of


def parse(content: bytes) -> Any:
    """A ``ModelT``: the flatbuffer as objects that can be changed."""
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(bytearray(content))


def serialize(model: Any) -> bytes:
    """The flatbuffer of a ``ModelT``; equal objects give equal bytes."""
    from tensorflow.lite.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


@cache
def _operator_names() -> dict[int, str]:
    from tensorflow.lite.python import schema_py_generated as schema

    return {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


@cache
def _type_names() -> dict[int, str]:
    from tensorflow.lite.python import schema_py_generated as schema

    return {code: name.lower() for name, code in vars(schema.TensorType).items() if isinstance(code, int)}


def operator_name(model: Any, operator: Any) -> str:
    """TFLite's spelling, ``CONV_2D``."""
    code = model.operatorCodes[operator.opcodeIndex]
    # Codes above 127 do not fit the deprecated field, which old files alone fill in.
    return _operator_names()[max(code.builtinCode, code.deprecatedBuiltinCode)]


def dtype_of(tensor: Any) -> str:
    """``float32``, ``int8``..."""
    return _type_names()[tensor.type]


def name_of(tensor: Any) -> str:
    """The tensor's name as text."""
    name = tensor.name
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")


def layer_of_operator(subgraph: Any, operator: Any, model_name: str) -> str | None:
    """The layer named by the operator's outputs; an output of the model bears its layer's name alone."""
    for index in map(int, operator.outputs):
        name = name_of(subgraph.tensors[index])
        layer = layer_of(name, model_name)
        if layer is None and index in subgraph.outputs and not name.startswith(NAMELESS):
            layer = name
        if layer:
            return layer
    return None
