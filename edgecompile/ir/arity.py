"""What an operator cannot do without: the least of inputs and outputs, and the table of its settings.

Source: TFLite's kernels (tensorflow/lite/kernels, 2.20), which ask for these in ``Prepare`` and refuse the model else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgecompile.core.units import counted
from edgecompile.ir.options import UNIONS, table_for
from edgecompile.libs.schema import table_of

# Least inputs and outputs; all others take one and give one. Optional inputs stand behind those counted here.
_COUNTS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "SQUARED_DIFFERENCE"), (2, 1)),
    **dict.fromkeys(("FLOOR_DIV", "FLOOR_MOD", "ATAN2", "BITWISE_XOR", "RIGHT_SHIFT"), (2, 1)),
    **dict.fromkeys(("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"), (2, 1)),
    **dict.fromkeys(("LOGICAL_AND", "LOGICAL_OR", "BATCH_MATMUL", "FULLY_CONNECTED", "PRELU"), (2, 1)),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", "EMBEDDING_LOOKUP"), (2, 1)),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL"), (2, 1)),
    **dict.fromkeys(("PAD", "MIRROR_PAD", "TRANSPOSE", "TILE", "EXPAND_DIMS", "SPLIT", "BROADCAST_TO"), (2, 1)),
    **dict.fromkeys(("GATHER", "GATHER_ND", "REVERSE_V2", "FILL", "CUMSUM", "ARG_MAX", "ARG_MIN"), (2, 1)),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SEGMENT_SUM"), (2, 1)),
    **dict.fromkeys(("PADV2", "SLICE", "SELECT", "SELECT_V2", "SPLIT_V", "RANGE", "SCATTER_ND"), (3, 1)),
    **dict.fromkeys(("TRANSPOSE_CONV", "CONV_3D_TRANSPOSE", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), (3, 1)),
    **dict.fromkeys(("DYNAMIC_UPDATE_SLICE", "REVERSE_SEQUENCE"), (2, 1)),
    **dict.fromkeys(("STRIDED_SLICE", "ONE_HOT"), (4, 1)),
    "TOPK_V2": (2, 2),
    "UNIQUE": (1, 2),
    "ASSIGN_VARIABLE": (2, 0),
    "VAR_HANDLE": (0, 1),
    "HASHTABLE": (0, 1),
    "HASHTABLE_IMPORT": (3, 0),
    "IF": (1, 0),
    **dict.fromkeys(("CALL_ONCE", "CALL", "WHILE", "CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"), (0, 0)),
}
# Sequences have states and gates that may be left out between those that may not: only how many there are counts.
_SEQUENCES: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"), (5, 1)),
    **dict.fromkeys(("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN", "SVDF"), (5, 1)),
}
# Defaults of these mean nothing: a stride of 0, a rank of 0, an axis that nobody chose.
_NEED_SETTINGS = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", "CONV_3D_TRANSPOSE", "TRANSPOSE_CONV", "AVERAGE_POOL_2D", "MAX_POOL_2D"}
    | {"L2_POOL_2D", "CONCATENATION", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "MIRROR_PAD", "LEAKY_RELU", "SVDF", "GATHER"}
    | {"PACK", "UNPACK", "CALL_ONCE", "IF", "WHILE"}
)


def least(name: str) -> tuple[int, int]:
    """The least of inputs and outputs that an operator is computed with."""
    return _SEQUENCES.get(name) or _COUNTS.get(name, (1, 1))


def lacking(name: str, operator: Any, inputs: list[int], outputs: list[int]) -> Iterator[tuple[str, str]]:
    """What is wanted and what was found, for an ``OperatorT`` of this name; nothing where it has all it needs.

    Operators of StableHLO come with counts that no interpreter of ours knows, and are left to it.
    """
    if name.startswith("STABLEHLO_"):
        return
    wanted_inputs, wanted_outputs = least(name)
    if len(inputs) < wanted_inputs:
        yield f"{counted(wanted_inputs, 'input')} or more", f"{len(inputs)}"
    elif name not in _SEQUENCES and -1 in inputs[:wanted_inputs]:
        yield f"its first {counted(wanted_inputs, 'input')}, none left out", f"{inputs}"
    if len(outputs) < wanted_outputs:
        yield f"{counted(wanted_outputs, 'output')} or more", f"{len(outputs)}"
    yield from _settings(name, operator)


def _settings(name: str, operator: Any) -> Iterator[tuple[str, str]]:
    tables = [table_of(table) for field in UNIONS if (table := getattr(operator, field)) is not None]
    own = table_for(name)
    if own is not None and tables and own not in tables:
        yield f"settings in a table `{own}`", f"`{tables[0]}`"
    elif own is not None and not tables and name in _NEED_SETTINGS:
        yield f"settings in a table `{own}`", "none"
