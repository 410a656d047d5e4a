"""The version that an operator needs for its element types, as TFLite's converter would give it.

Source: tensorflow/lite/tools/versioning/op_version.cc. What is not listed needs version 1.
"""

from __future__ import annotations

from collections.abc import Mapping

# Operators that have been given int8 with version 2, and of these the ones given int16 with version 3.
_INT8_SINCE_2 = """
    ADD ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND CONCATENATION DEPTH_TO_SPACE DEQUANTIZE EQUAL
    GATHER GREATER GREATER_EQUAL L2_NORMALIZATION LEAKY_RELU LESS LESS_EQUAL LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D
    MEAN MINIMUM MUL NOT_EQUAL PACK PAD PADV2 RELU RELU6 RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR SLICE SOFTMAX
    SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT STRIDED_SLICE SUB SUM TANH TILE TRANSPOSE
"""
_INT16_SINCE_3 = """
    ADD AVERAGE_POOL_2D CONCATENATION LEAKY_RELU LOGISTIC MAX_POOL_2D MEAN MUL PAD PADV2 RELU RELU6 SOFTMAX SUB SUM
    TANH TRANSPOSE
"""
_OWN: Mapping[str, Mapping[str, int]] = {
    "CONV_2D": {"int8": 3, "int16": 4},
    "DEPTHWISE_CONV_2D": {"int8": 3, "int16": 5},
    "FULLY_CONNECTED": {"int8": 4, "int16": 7},
    "TRANSPOSE_CONV": {"int8": 2, "int16": 3},
    "SVDF": {"int8": 3},
}


def version_of(operator: str, dtype: str) -> int:
    """The version for activations of a dtype (a Network's name, ``int8``)."""
    if operator in _OWN:
        return _OWN[operator].get(dtype, 1)
    if dtype == "int16" and operator in _INT16_SINCE_3.split():
        return 3
    return 2 if dtype == "int8" and operator in _INT8_SINCE_2.split() else 1
