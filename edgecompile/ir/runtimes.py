"""The first TensorFlow Lite runtime that knows an operator in a version.

Source: google-ai-edge/LiteRT commit 05215c2, tflite/tools/versioning/runtime_version.cc. What is listed came with
runtime 2.0 or later; lower versions of the same operators are older than 2.0, and so are the operators not listed, in
their version 1. LiteRT's own numbers (1.x of 2025) go on from TensorFlow Lite 2.17 and read everything listed.
"""

from __future__ import annotations

from collections.abc import Mapping

from edgecompile.ir.network import Network

Release = tuple[int, int]
OLDEST: Release = (1, 15)

_SINCE = """
    ABS 2:2.4 3:2.5 4:2.6 5:2.12
    ADD 3:2.4 4:2.6 5:2.13
    ARG_MAX 3:2.9
    ARG_MIN 3:2.9
    ASSIGN_VARIABLE 1:2.6
    ATAN2 1:2.10
    AVERAGE_POOL_2D 3:2.3
    BATCH_MATMUL 1:2.3 2:2.3 3:2.4 4:2.5
    BATCH_TO_SPACE_ND 3:2.3 4:2.12
    BIDIRECTIONAL_SEQUENCE_RNN 3:2.3
    BITCAST 1:2.13
    BITWISE_XOR 1:2.13
    BROADCAST_ARGS 1:2.6
    BROADCAST_TO 2:2.5 3:2.5
    BUCKETIZE 1:2.8
    CALL_ONCE 1:2.5
    CAST 2:2.7 3:2.8 4:2.9 5:2.12 6:2.15 7:2.17
    COMPLEX_ABS 1:2.5
    CONCATENATION 3:2.3 4:2.14
    CONV_2D 4:2.3 5:2.4 6:2.9 7:2.11 8:2.15
    CONV_3D 1:2.5
    CONV_3D_TRANSPOSE 1:2.6
    CUMSUM 1:2.4
    DENSIFY 1:2.2
    DEPTHWISE_CONV_2D 4:2.2 5:2.3 6:2.3 7:2.11
    DEPTH_TO_SPACE 1:2.1 2:2.5
    DEQUANTIZE 4:2.2 5:2.7 6:2.18
    DILATE 1:2.15
    DIV 2:2.3
    DYNAMIC_UPDATE_SLICE 1:2.9 2:2.17 3:2.19 4:2.20
    EMBEDDING_LOOKUP 4:2.18
    EQUAL 3:2.3 4:2.13
    EXP 2:2.12
    FILL 2:2.3 3:2.5 4:2.12
    FLOOR_DIV 3:2.13
    FLOOR_MOD 2:2.13
    FULLY_CONNECTED 5:2.0 6:2.1 7:2.3 8:2.3 9:2.3 10:2.11 11:2.15 12:2.17 13:2.18
    GATHER 4:2.4 5:2.5 6:2.13 7:2.15
    GATHER_ND 2:2.3 3:2.5 4:2.13 5:2.16
    GELU 1:2.9 2:2.9
    GREATER_EQUAL 3:2.13
    HASHTABLE 1:2.5
    HASHTABLE_FIND 1:2.5
    HASHTABLE_IMPORT 1:2.5
    HASHTABLE_SIZE 1:2.5
    IMAG 1:2.5
    LEAKY_RELU 2:2.3
    LESS 3:2.13
    LOG 2:2.15
    LOGISTIC 3:2.3
    LSTM 4:2.3
    MAXIMUM 3:2.3 4:2.3
    MAX_POOL_2D 3:2.3
    MEAN 3:2.4
    MINIMUM 3:2.3 4:2.3
    MIRROR_PAD 2:2.3 3:2.12
    MUL 4:2.3 5:2.6 6:2.11 7:2.13
    MULTINOMIAL 1:2.8
    NON_MAX_SUPPRESSION_V4 1:2.1
    NON_MAX_SUPPRESSION_V5 1:2.1
    NOT_EQUAL 3:2.3
    PACK 3:2.3 4:2.13
    PAD 3:2.4 4:2.6
    PADV2 3:2.4 4:2.6
    QUANTIZE 3:2.7
    RANDOM_STANDARD_NORMAL 1:2.8
    RANDOM_UNIFORM 1:2.8
    RANGE 2:2.14
    READ_VARIABLE 1:2.6
    REAL 1:2.5
    REDUCE_ALL 1:2.6
    REDUCE_MAX 3:2.5
    REDUCE_MIN 3:2.5
    REDUCE_PROD 2:2.6
    REDUCE_WINDOW 1:2.15
    RELU 2:2.1 3:2.5
    RELU6 3:2.5
    RELU_0_TO_1 1:2.10
    RESIZE_BILINEAR 3:2.2 4:2.5
    RESIZE_NEAREST_NEIGHBOR 3:2.3 4:2.4
    REVERSE_V2 2:2.2 3:2.5
    RFFT2D 1:2.5
    RIGHT_SHIFT 1:2.13
    RNN 3:2.3
    RSQRT 2:2.5 3:2.15
    SCATTER_ND 1:2.1
    SEGMENT_SUM 1:2.2
    SELECT 3:2.12 4:2.12
    SELECT_V2 1:2.2 2:2.12
    SIGN 1:2.11 2:2.12
    SLICE 4:2.4 5:2.5 6:2.14
    SOFTMAX 3:2.3
    SPACE_TO_BATCH_ND 3:2.3 4:2.12
    SPLIT 4:2.3
    SPLIT_V 2:2.3
    SQUARED_DIFFERENCE 2:2.5
    SQUEEZE 2:2.5
    STRIDED_SLICE 3:2.1 4:2.2 5:2.5 6:2.6 7:2.14 8:2.14
    SUB 3:2.3 4:2.4 5:2.4
    SVDF 3:2.2 4:2.3
    TANH 3:2.3
    TILE 2:2.2 3:2.8
    TOPK_V2 3:2.13
    TRANSPOSE 4:2.3 5:2.4 6:2.12 7:2.14
    TRANSPOSE_CONV 2:2.2 3:2.3 4:2.13 5:2.15
    UNIDIRECTIONAL_SEQUENCE_LSTM 3:2.3 4:2.12
    UNIDIRECTIONAL_SEQUENCE_RNN 3:2.3
    UNPACK 3:2.2 4:2.3
    UNSORTED_SEGMENT_MAX 1:2.10
    UNSORTED_SEGMENT_MIN 1:2.11
    UNSORTED_SEGMENT_PROD 1:2.10
    UNSORTED_SEGMENT_SUM 1:2.10
    VAR_HANDLE 1:2.6
    WHERE 2:2.8
"""

# Operators that are not listed above and had later versions than 1 before 2.0: the last of them.
_LAST_BEFORE_2: Mapping[str, int] = {
    "BIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "FAKE_QUANT": 2,
    "GREATER": 2,
    "L2_NORMALIZATION": 2,
    "LESS_EQUAL": 2,
    "LOG_SOFTMAX": 2,
    "SPACE_TO_DEPTH": 2,
    "SPARSE_TO_DENSE": 3,
    "SUM": 2,
}


def _read() -> dict[str, dict[int, Release]]:
    table: dict[str, dict[int, Release]] = {}
    for line in _SINCE.split("\n"):
        name, *entries = line.split() or [""]
        for entry in entries:
            version, _, release = entry.partition(":")
            major, _, minor = release.partition(".")
            table.setdefault(name, {})[int(version)] = (int(major), int(minor))
    return table


SINCE: Mapping[str, Mapping[int, Release]] = _read()
NEWEST: Release = max(release for versions in SINCE.values() for release in versions.values())


def first_runtime(operator: str, version: int) -> Release:
    """The release that brought the operator in this version, OLDEST for what is older than 2.0.

    A version above those listed is of a release that this table does not know yet: the release of the last one listed.
    """
    known = SINCE.get(operator, {})
    reached = [release for since, release in known.items() if since <= version]
    return max(reached, default=OLDEST)


def last_version(operator: str, release: Release) -> int:
    """The last version of the operator that a release of 2.0 or later reads; 0 for an operator that it does not know.

    A version above it is refused by that runtime, also where no release is known that brought it.
    """
    listed = SINCE.get(operator)
    if listed is None:
        return _LAST_BEFORE_2.get(operator, 1)
    return max((version for version, since in listed.items() if since <= release), default=min(listed) - 1)


def least_runtime(network: Network) -> tuple[Release, tuple[int, ...]]:
    """The release that reads the whole network, and the operators of the main subgraph that need it.

    Custom operators do not count: the app brings them along. OLDEST comes with no operators.
    """
    needed = [
        OLDEST if operator.name == "CUSTOM" else first_runtime(operator.name, operator.version)
        for subgraph in network.subgraphs
        for operator in subgraph.operators
    ]
    least = max(needed, default=OLDEST)
    main = needed[: len(network.main.operators)]
    return least, tuple(i for i, release in enumerate(main) if release == least) if least > OLDEST else ()
