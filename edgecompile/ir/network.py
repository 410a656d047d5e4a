"""Network: a small typed picture of a TFLite model, immutable and lossless.

What the compiler works with is modelled here; every other schema field stays in ``raw``
(the schema library's own object) and is written back as it was read. Passes make new
values with ``dataclasses.replace``; indices (tensors, operators) are those of the subgraph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Buffer:
    """Bytes of constants. Two tensors that hold the same ``Buffer`` object share storage."""

    data: bytes | memoryview
    raw: Any = None

    def __len__(self) -> int:
        return len(self.data)


EMPTY = Buffer(b"")


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """Affine quantization: ``real = scale * (q - zero_point)``, per tensor or per slice of ``axis``."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0
    raw: Any = field(default=None, compare=False, repr=False)

    @property
    def per_channel(self) -> bool:
        """More than one scale."""
        return len(self.scales) > 1


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A value of the graph. ``shape`` has no unknowns; ``shape_signature`` has -1 where one is.

    ``dtype`` is a NumPy name, or ``int4``, ``int2``, ``bfloat16``, ``string``, ``resource``,
    ``variant``. ``buffer`` is EMPTY for values computed at run time.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    buffer: Buffer = EMPTY
    quantization: Quantization | None = None
    shape_signature: tuple[int, ...] = ()
    is_variable: bool = False
    raw: Any = field(default=None, compare=False, repr=False)

    @property
    def is_constant(self) -> bool:
        """Holds bytes that the file brings along."""
        return len(self.buffer) > 0

    @property
    def is_sparse(self) -> bool:
        """A constant stored without its zeros, in the layout that ``raw.sparsity`` describes."""
        return getattr(self.raw, "sparsity", None) is not None and self.is_constant

    @property
    def is_dynamic(self) -> bool:
        """Some dimension is not known before run time."""
        return any(size < 0 for size in (*self.shape_signature, *self.shape))

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return int(np.prod(self.shape, dtype=np.int64)) if self.shape else 1

    @property
    def size_bytes(self) -> int:
        """Bytes of one value at run time (int4 and int2 packed); 0 for string and resource."""
        return (self.elements * BITS.get(self.dtype, 0) + 7) // 8

    @property
    def array(self) -> np.ndarray[Any, Any] | None:
        """The constant, read-only, of ``shape``; int4 and int2 unpacked to int8; None if not constant, or sparse."""
        return _decode(self) if self.is_constant and not self.is_sparse else None

    def __str__(self) -> str:
        signature = self.shape_signature or self.shape
        dims = ", ".join("?" if size < 0 else str(size) for size in signature)
        return f"{self.dtype}[{dims}]"


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operation. ``name`` is TFLite's spelling (``CONV_2D``) or ``CUSTOM`` with ``custom_code``.

    ``inputs`` may hold -1 for an optional input left out. ``options`` are the fields of the
    builtin options table in snake case; enumerations as their schema names (``padding``:
    ``SAME``, ``fused_activation_function``: ``RELU6``), dtypes as in :class:`Tensor`.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    custom_code: str | None = None
    custom_options: bytes = b""
    raw: Any = field(default=None, compare=False, repr=False)

    @property
    def label(self) -> str:
        """The name people know: the builtin's, or the custom code."""
        return self.custom_code if self.name == "CUSTOM" and self.custom_code else self.name


@dataclass(frozen=True, kw_only=True)
class Subgraph:
    """Tensors, and operators in execution order."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    raw: Any = field(default=None, compare=False, repr=False)

    def tensor(self, index: int) -> Tensor | None:
        """The tensor, or None for -1 (an optional input left out)."""
        return self.tensors[index] if index >= 0 else None

    def inputs_of(self, operator: Operator) -> tuple[Tensor | None, ...]:
        """The operator's input tensors, None where one is left out."""
        return tuple(self.tensor(index) for index in operator.inputs)

    def outputs_of(self, operator: Operator) -> tuple[Tensor, ...]:
        """The operator's output tensors."""
        return tuple(self.tensors[index] for index in operator.outputs)


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A named entry: argument name to tensor index of ``subgraph``."""

    key: str
    subgraph: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A whole model. ``buffers`` keeps the file's own order and unused buffers; buffers that
    tensors hold beyond it are appended on writing. ``trailer`` is what follows the flatbuffer
    (TFLite metadata appends a zip of associated files)."""

    subgraphs: tuple[Subgraph, ...]
    buffers: tuple[Buffer, ...] = ()
    signatures: tuple[Signature, ...] = ()
    metadata: Mapping[str, Buffer] = field(default_factory=dict)
    description: str = ""
    version: int = 3
    trailer: bytes = b""
    raw: Any = field(default=None, compare=False, repr=False)

    @property
    def main(self) -> Subgraph:
        """The subgraph that an interpreter runs when no signature is named."""
        return self.subgraphs[0]


BITS: Mapping[str, int] = {
    **{name: 8 for name in ("int8", "uint8", "bool", "float8_e4m3fn", "float8_e5m2")},
    **{name: 16 for name in ("int16", "uint16", "float16", "bfloat16")},
    **{name: 32 for name in ("int32", "uint32", "float32")},
    **{name: 64 for name in ("int64", "uint64", "float64", "complex64")},
    "complex128": 128,
    "int4": 4,
    "uint4": 4,
    "int2": 2,
}


def _decode(tensor: Tensor) -> np.ndarray[Any, Any]:
    raw = np.frombuffer(tensor.buffer.data, dtype=np.uint8)
    if tensor.dtype in ("int4", "int2", "uint4"):
        return _unpack(raw, BITS[tensor.dtype], tensor.elements, tensor.dtype[0] != "u").reshape(tensor.shape)
    if tensor.dtype == "bfloat16":
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32).reshape(tensor.shape)
    if tensor.dtype not in BITS or tensor.dtype.startswith("float8"):
        return raw
    return raw.view(np.dtype(tensor.dtype).newbyteorder("<")).reshape(tensor.shape)


def _unpack(raw: np.ndarray[Any, Any], bits: int, count: int, signed: bool) -> np.ndarray[Any, Any]:
    """Low bits first, as TFLite packs them; sign-extended."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    codes = ((raw[:, None] >> shifts) & ((1 << bits) - 1)).reshape(-1)[:count].astype(np.int8)
    half = 1 << (bits - 1)
    return np.where(codes >= half, codes - 2 * half, codes).astype(np.int8) if signed else codes.view(np.uint8)
