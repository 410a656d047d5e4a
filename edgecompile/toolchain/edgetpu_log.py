"""What `edgetpu_compiler` prints, as data.

Source: public logs of versions 1.0.249710469 to 16.0.384591198; the table of operators is printed with ``-s``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"^Edge TPU Compiler version (\S+)", re.MULTILINE)
_ROW = re.compile(r"^([A-Za-z0-9_]+(?:-[a-z-]+)?)[ \t]{2,}(\d+)[ \t]{2,}(\S.*?)\s*$", re.MULTILINE)
_SIZES = {
    "cached_bytes": "On-chip memory used for caching model parameters",
    "free_bytes": "On-chip memory remaining for caching model parameters",
    "streamed_bytes": "Off-chip memory used for streaming uncached model parameters",
}
_COUNTS = {
    "subgraphs": "Number of Edge TPU subgraphs",
    "operations": "Total number of operations",
    "on_accelerator": "Number of operations that will run on Edge TPU",
    "on_cpu": "Number of operations that will run on CPU",
}
_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
# What it says where it makes nothing, in the order in which the most telling comes first.
FAILURES = (
    "Compilation failed due to large activation tensors in model",
    "Model not quantized",
    "Invalid model",
    "Attempting to use a delegate that only supports static-sized tensors",
    "Didn't find op for builtin opcode",
    "Model failed in Tflite interpreter",
    "Internal compiler error",
    "Compilation child process timed out",
    "Compilation failed",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: that many operators of a name have that status."""

    name: str
    count: int
    status: str


@dataclass(frozen=True, kw_only=True)
class Log:
    """``failure`` is the line that says why there is no compiled model, empty where there is one. Sizes are rounded
    by the compiler to two decimals of their unit; None where the log does not say."""

    version: str
    rows: tuple[Row, ...]
    failure: str = ""
    cached_bytes: int | None = None
    free_bytes: int | None = None
    streamed_bytes: int | None = None
    subgraphs: int | None = None
    operations: int | None = None
    on_accelerator: int | None = None
    on_cpu: int | None = None

    @property
    def known(self) -> bool:
        """It is a log as known versions print it: it names its version, and says what came of it."""
        return bool(self.version) and (bool(self.failure) or self.operations is not None)


def read_log(text: str, model: str = "") -> Log:
    """The log that a text holds; fields that it does not say stay empty. Of several models compiled together, what it
    says of the file ``model``."""
    version, failure = _VERSION.search(text), _failure(text)
    text = _said_of(model, text)
    table = text.partition("Operator")[2]
    return Log(
        version=version[1] if version else "",
        rows=tuple(Row(name=name, count=int(count), status=status) for name, count, status in _ROW.findall(table)),
        failure=failure,
        **{name: _size(text, label) for name, label in _SIZES.items()},
        **{name: _count(text, label) for name, label in _COUNTS.items()},
    )


def _said_of(model: str, text: str) -> str:
    """The part that begins with the model's name; the whole where there is none of its own."""
    parts = re.split(r"^(?=Input model: )", text, flags=re.MULTILINE)
    own = (part for part in parts if part.partition("\n")[0].strip() == f"Input model: {model}")
    return next(own, text)


def _failure(text: str) -> str:
    if "compiled successfully" in text or "Compilation succeeded" in text:
        return ""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for words in FAILURES for line in lines if words in line), "")


def _size(text: str, label: str) -> int | None:
    found = re.search(re.escape(label) + r":\s*([\d.]+)\s*([KMG]?i?B)", text)
    return round(float(found[1]) * _UNITS[found[2]]) if found and found[2] in _UNITS else None


def _count(text: str, label: str) -> int | None:
    found = re.search(re.escape(label) + r":\s*(\d+)", text)
    return int(found[1]) if found else None
