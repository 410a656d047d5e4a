"""An operator's settings: the schema's options tables to and from plain names and values.

Field names are the schema's own (``stride_w``); enumerations are their names (``SAME``), element
types are those of :class:`~edgecompile.ir.network.Tensor` (``int8``), vectors are tuples. A number that
the schema has no name for stays a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from functools import cache
from typing import Any

import numpy as np

from edgecompile.core.errors import did_you_mean
from edgecompile.libs.schema import names_of, new, table_of, values_of
from edgecompile.libs.schema_fields import Field, fields_of, union

UNIONS = ("builtinOptions", "builtinOptions2")

# Operators whose options table is not named after them. Source: BuiltinOptions in TFLite's schema.fbs.
_TABLES: Mapping[str, str] = {
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), "Pool2DOptions"),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"), "ReducerOptions"),
    **dict.fromkeys(("REDUCE_ANY", "REDUCE_ALL"), "ReducerOptions"),
    **dict.fromkeys(("MAXIMUM", "MINIMUM"), "MaximumMinimumOptions"),
    **dict.fromkeys(("RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "MULTINOMIAL"), "RandomOptions"),
    "L2_NORMALIZATION": "L2NormOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
    "CONV_3D_TRANSPOSE": "Conv3DOptions",
}
# Scalar fields that are numbers of an enumeration; a table in front where the name alone is not enough.
_ENUMERATIONS: Mapping[str, str] = {
    "fused_activation_function": "ActivationFunctionType",
    "padding": "Padding",
    "weights_format": "FullyConnectedOptionsWeightsFormat",
    "kernel_type": "LSTMKernelType",
    "combiner": "CombinerType",
    "mode": "MirrorPadMode",
    "LSHProjectionOptions.type": "LSHProjectionType",
    "reduce_function": "ReduceWindowFunction",
    "comparison_direction": "StablehloComparisonDirection",
    "compare_type": "StablehloComparisonType",
    "algorithm": "RngAlgorithm",
    **dict.fromkeys(("in_data_type", "out_data_type", "output_type", "out_type", "idx_out_type"), "TensorType"),
    **dict.fromkeys(("quantized_bias_type", "key_dtype", "value_dtype"), "TensorType"),
}
_CAPITAL = re.compile(r"(?<!^)([A-Z])")


@cache
def dtype_name(code: int) -> str | None:
    """The Network's name of a TensorType, None for one that the schema does not know."""
    name = names_of("TensorType").get(code)
    return None if name is None else name.lower()


def dtype_code(name: str) -> int:
    """The inverse of :func:`dtype_name`. Raises ValueError for an unknown name."""
    return _value("TensorType", name.upper())


@cache
def table_for(operator: str) -> str | None:
    """The options table of an operator by TFLite's spelling, None for one that has none."""
    if operator in _TABLES:
        return _TABLES[operator]
    tables = [*union("BuiltinOptions").values(), *union("BuiltinOptions2").values()]
    return {table.removesuffix("Options").lower(): table for table in tables}.get(operator.replace("_", "").lower())


@cache
def union_of(table: str) -> tuple[str, int]:
    """The operator's field that holds an options table, and the table's number there."""
    for field in UNIONS:
        for code, member in union(field[0].upper() + field[1:]).items():
            if member == table:
                return field, code
    raise ValueError(f"`{table}` is not an options table")


@cache
def option_fields(table: str) -> Mapping[str, Field]:
    """Fields of an options table by their names in the Network."""
    return {_CAPITAL.sub(r"_\1", field.name).lower(): field for field in fields_of(table)}


def options_of(operator: Any) -> dict[str, Any]:
    """Settings of an ``OperatorT``; empty without an options table."""
    tables = (getattr(operator, field) for field in UNIONS)
    return {name: value for table in tables if table is not None for name, value in _plain(table).items()}


def defaults(operator: str) -> dict[str, Any]:
    """The settings that an empty options table of the operator means."""
    table = table_for(operator)
    return _plain(new(table)) if table else {}


def options_object(table: str, options: Mapping[str, Any], base: Any = None) -> Any:
    """An options table with these settings; what they leave out stays as in ``base``, or at its default.

    Raises ValueError for a setting that the table does not have, or a name it does not know.
    """
    value = copy(base) if base is not None else new(table)
    fields = option_fields(table)
    for name, setting in options.items():
        if name not in fields:
            near = "; ".join(did_you_mean(name, fields))
            raise ValueError(f"`{table}` has no setting `{name}`" + (f" ({near})" if near else ""))
        setattr(value, fields[name].name, _stored(table, name, fields[name], setting))
    return value


def _plain(table: Any) -> dict[str, Any]:
    kind = table_of(table)
    fields = option_fields(kind).items()
    return {name: _shown(kind, name, field, getattr(table, field.name)) for name, field in fields}


def _shown(table: str, name: str, field: Field, value: Any) -> Any:
    enumeration = _enumeration(table, name, field)
    if enumeration is not None:
        known = names_of(enumeration).get(value)
        return value if known is None else known.lower() if enumeration == "TensorType" else known
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return tuple(value) if isinstance(value, list) else value


def _stored(table: str, name: str, field: Field, value: Any) -> Any:
    enumeration = _enumeration(table, name, field)
    if enumeration is not None and isinstance(value, str):
        return _value(enumeration, value.upper() if enumeration == "TensorType" else value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if field.kind == "scalars" and value is not None:
        return np.array(value, dtype=field.dtype)
    return value


def _enumeration(table: str, name: str, field: Field) -> str | None:
    if field.kind != "scalar":
        return None
    return _ENUMERATIONS.get(f"{table}.{name}") or _ENUMERATIONS.get(name)


def _value(enumeration: str, name: str) -> int:
    values = values_of(enumeration)
    if name not in values:
        near = "; ".join(did_you_mean(name, values))
        raise ValueError(f"`{enumeration}` has no `{name}`" + (f" ({near})" if near else ""))
    return values[name]
