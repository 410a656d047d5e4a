"""What TensorFlow Lite Micro calls its operators: the ``AddXxx`` methods of MicroMutableOpResolver.

From ``tensorflow/lite/micro/micro_mutable_op_resolver.h`` of the tflite-micro repository.
"""

from __future__ import annotations

from collections.abc import Mapping

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import did_you_mean, rejected
from edgecompile.ir.network import Network, Operator

_NAMES = """
ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS
BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTH_TO_SPACE DEPTHWISE_CONV_2D DEQUANTIZE DIV
DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER
GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOG_SOFTMAX
LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD
PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR
REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE
SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM
UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""
_BUILTINS = frozenset(_NAMES.split())
# Where the method is not the operator's name in camel case.
_ODD: Mapping[str, str] = {
    "BATCH_MATMUL": "AddBatchMatMul",
    "CUMSUM": "AddCumSum",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}
_CUSTOM: Mapping[str, str] = {
    "CIRCULAR_BUFFER": "AddCircularBuffer",
    "TFLite_Detection_PostProcess": "AddDetectionPostprocess",
    "ethos-u": "AddEthosU",
    "SignalDelay": "AddDelay",
    "SignalEnergy": "AddEnergy",
    "SignalFftAutoScale": "AddFftAutoScale",
    "SignalFilterBank": "AddFilterBank",
    "SignalFilterBankLog": "AddFilterBankLog",
    "SignalFilterBankSpectralSubtraction": "AddFilterBankSpectralSubtraction",
    "SignalFilterBankSquareRoot": "AddFilterBankSquareRoot",
    "SignalFramer": "AddFramer",
    "SignalIrfft": "AddIrfft",
    "SignalOverlapAdd": "AddOverlapAdd",
    "SignalPCAN": "AddPCAN",
    "SignalRfft": "AddRfft",
    "SignalStacker": "AddStacker",
    "SignalWindow": "AddWindow",
}


def methods_of(network: Network) -> tuple[str, ...]:
    """The methods that register what the network uses, in order of name, each once.

    Raises RejectedError EC622 for an operator that has none.
    """
    methods = set()
    for subgraph in network.subgraphs:
        for index, operator in enumerate(subgraph.operators):
            methods.add(method_of(operator, index))
    return tuple(sorted(methods))


def method_of(operator: Operator, index: int) -> str:
    """``AddConv2D`` for CONV_2D. Raises RejectedError EC622."""
    if operator.name == "CUSTOM" and operator.label in _CUSTOM:
        return _CUSTOM[operator.label]
    if operator.name in _BUILTINS:
        return _ODD.get(operator.name, "Add" + "".join(map(_word, operator.name.split("_"))))
    raise rejected(
        "EC622",
        f"TensorFlow Lite Micro has no operator `{operator.label}`",
        Location(operator=index),
        notes=("its resolver, MicroMutableOpResolver, has no method that adds it",),
        help=did_you_mean(operator.label, (*_BUILTINS, *_CUSTOM)) or ("replace the layer that makes this operator",),
    )


def _word(part: str) -> str:
    return part if part[0].isdigit() else part.capitalize()
