"""The model's inputs and outputs as wrapper code sees them: what a caller gives, what the tensor holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import bad_input, rejected
from edgecompile.core.project import Preprocess
from edgecompile.core.units import counted
from edgecompile.emit.android.names import parameters
from edgecompile.emit.c.literals import real
from edgecompile.emit.emission import Emission
from edgecompile.ir.network import Tensor

# What a tensor that holds no real values is given as: Java, Kotlin, C++, and how a Java buffer puts and gets it.
_PLAIN: Mapping[str, tuple[str, str, str, str]] = {
    "int8": ("byte", "ByteArray", "std::int8_t", ""),
    "uint8": ("byte", "ByteArray", "std::uint8_t", ""),
    "int16": ("short", "ShortArray", "std::int16_t", "Short"),
    "int32": ("int", "IntArray", "std::int32_t", "Int"),
    "int64": ("long", "LongArray", "std::int64_t", "Long"),
    "bool": ("byte", "ByteArray", "std::uint8_t", ""),
}
_REAL = ("float", "FloatArray", "float", "Float")
# int8 read from a Java byte is itself; uint8 has to be masked.
_QUANTIZED = ("int8", "uint8", "int16", "int32")


@dataclass(frozen=True, kw_only=True)
class Port:
    """One input or output. ``labelled``: its last axis counts the classes."""

    name: str
    index: int
    tensor: Tensor
    preprocess: Preprocess
    labelled: bool = False

    @property
    def quantized(self) -> bool:
        """Holds integers that stand for real values."""
        quantization = self.tensor.quantization
        return quantization is not None and len(quantization.scales) == 1 and self.tensor.dtype in _QUANTIZED

    @property
    def is_real(self) -> bool:
        """The caller's side of it are floats."""
        return self.quantized or self.tensor.dtype == "float32"

    @property
    def count(self) -> int:
        """Numbers in the tensor."""
        return math.prod(self.tensor.shape)

    def values(self) -> dict[str, Any]:
        """What templates are filled with."""
        java, kotlin, cpp, verb = _REAL if self.is_real else _PLAIN[self.tensor.dtype]
        stored = _REAL if self.tensor.dtype == "float32" else _PLAIN[self.tensor.dtype]
        limits = np.iinfo(self.tensor.dtype) if self.quantized else None
        quantization = self.tensor.quantization
        scales, offsets = self.preprocess.scale, self.preprocess.offset
        return {
            "name": self.name,
            "camel": self.name[:1].upper() + self.name[1:],
            "upper": "".join(f"_{c}" if c.isupper() else c.upper() for c in self.name).lstrip("_"),
            "index": self.index,
            "count": self.count,
            "bytes": self.count * np.dtype(self.tensor.dtype).itemsize,
            "shape": " x ".join(map(str, self.tensor.shape)) or "1",
            "dtype": self.tensor.dtype,
            "java": java,
            "kotlin": kotlin,
            "kotlin_one": {"Byte": "Byte", "": "Byte"}.get(verb, verb),
            "cpp": cpp,
            "cpp_stored": stored[2],
            "java_stored": stored[0],
            "verb": verb,
            "stored_verb": stored[3],
            "stored_one": stored[3] or "Byte",
            "is_real": self.is_real,
            "quantized": self.quantized,
            "unsigned": self.tensor.dtype == "uint8",
            "float_stored": self.is_real and not self.quantized,
            "plain": not self.is_real,
            "scaled": self.is_real and bool(scales),
            "shifted": self.is_real and bool(offsets),
            "scales": ", ".join(map(real, scales)),
            "offsets": ", ".join(map(real, offsets)),
            "scale_count": len(scales),
            "offset_count": len(offsets),
            "step": real(quantization.scales[0]) if quantization is not None and self.quantized else "",
            "zero": int(quantization.zero_points[0]) if quantization is not None and self.quantized else 0,
            "least": int(limits.min) if limits is not None else 0,
            "most": int(limits.max) if limits is not None else 0,
            "labelled": self.labelled,
        }


def inputs(emission: Emission) -> tuple[Port, ...]:
    """The inputs, in the order in which the interpreter counts them. Raises RejectedError EC695."""
    return _ports(emission, emission.network.main.inputs, "input", emission.preprocess or Preprocess())


def outputs(emission: Emission) -> tuple[Port, ...]:
    """The outputs. Raises RejectedError EC695, BadInputError EC690 when no output has a number for every label."""
    taken = tuple(port.name for port in inputs(emission))
    return _ports(emission, emission.network.main.outputs, "output", Preprocess(), taken)


def check_labels(emission: Emission) -> tuple[Diagnostic, ...]:
    """Nothing to say. Raises BadInputError EC690 when no output has a number for every label."""
    _labelled(emission, [emission.network.main.tensors[index] for index in emission.network.main.outputs])
    return ()


def _ports(
    emission: Emission, indices: tuple[int, ...], kind: str, preprocess: Preprocess, taken: tuple[str, ...] = ()
) -> tuple[Port, ...]:
    network = emission.network
    tensors = [network.main.tensors[index] for index in indices]
    for tensor in tensors:
        _check_dtype(tensor, kind, emission.name)
    known = {
        index: name
        for signature in network.signatures
        if signature.subgraph == 0
        for name, index in (signature.inputs if kind == "input" else signature.outputs).items()
    }
    names = parameters([known.get(index, network.main.tensors[index].name) for index in indices], kind, taken)
    labelled = _labelled(emission, tensors) if kind == "output" else None
    return tuple(
        Port(name=name, index=at, tensor=tensor, preprocess=preprocess, labelled=at == labelled)
        for at, (name, tensor) in enumerate(zip(names, tensors, strict=True))
    )


def _labelled(emission: Emission, tensors: list[Tensor]) -> int | None:
    """Which output has a number for each label; None where labels name what an output holds as an index."""
    count = len(emission.labels)
    sizes = [tensor.shape[-1] if tensor.shape else 1 for tensor in tensors]
    if count in sizes:
        return sizes.index(count)
    if not count or any(_holds_indices(emission, tensor) for tensor in tensors) or (count == 2 and 1 in sizes):
        return None
    found = [f"`{tensor.name}`, {tensor.dtype}{list(tensor.shape)}" for tensor in tensors]
    raise bad_input(
        "EC690",
        f"{counted(count, 'label')} {'does' if count == 1 else 'do'} not match the model's output",
        Location(file=f"{emission.name}.tflite", detail="[data] labels"),
        notes=(
            "limit: an output whose last axis has one number for each label",
            f"found: {counted(count, 'label')}, from `{emission.labels[0]}` to `{emission.labels[-1]}`",
            f"outputs: {', '.join(found)}",
        ),
        help=("name every class once, one a line, in the order of the outputs", "or leave `labels` out"),
    )


def _holds_indices(emission: Emission, tensor: Tensor) -> bool:
    """The output of an argmax, or of a detector's last operator."""
    makers = [
        op
        for op in emission.network.main.operators
        if any(emission.network.main.tensors[i] is tensor for i in op.outputs)
    ]
    return tensor.dtype in ("int32", "int64") or any(maker.custom_code for maker in makers)


def _check_dtype(tensor: Tensor, kind: str, name: str) -> None:
    if tensor.dtype == "float32" or tensor.dtype in _PLAIN:
        return
    raise rejected(
        "EC695",
        f"{kind} `{tensor.name}` is {tensor.dtype}, which the wrapper classes do not carry",
        f"{name}.tflite",
        notes=(f"limit: float32, {', '.join(_PLAIN)}", f"found: {tensor.dtype}"),
        help=("change the type of inputs and outputs with `--io-dtype`", "or leave the wrapper out of `--emit`"),
    )
