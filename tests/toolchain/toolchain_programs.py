"""Programs that stand in for compilers: they print what real ones print, crash, hang, or print nonsense."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

PYTHON = sys.executable
SUCCESS = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 412 ms.

Input model: {name}.tflite
Input size: 513.28KiB
Output model: {name}_edgetpu.tflite
Output size: 668.45KiB
On-chip memory used for caching model parameters: {cached}
On-chip memory remaining for caching model parameters: 7.13MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: {total}
Operation log: {name}_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU.
Number of operations that will run on Edge TPU: {total}
Number of operations that will run on CPU: 0

Operator                       Count      Status

{rows}
Compilation child process completed within timeout period.
Compilation succeeded!
"""
FAILURE = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.
ERROR: {reason}
Compilation failed!
"""


def row(name: str, count: int, status: str) -> str:
    """A line of the table of operators."""
    return f"{name:<30} {count:<10} {status}"


def program(folder: Path, name: str, body: str) -> Path:
    """An executable Python script of that name; ``body`` sees ``argv``, ``Path`` and ``out(text)``."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(
        f"#!{shlex.quote(PYTHON)}\n"
        "import os, signal, sys, time\nfrom pathlib import Path\n"
        "argv = sys.argv[1:]\n"
        "def out(text): print(text, flush=True)\n" + body,
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def printing(log: str, writes: dict[str, Path] | None = None, code: int = 0) -> str:
    """The body of a program that prints a log and copies files into the folder it runs in."""
    copies = "".join(
        f"Path({name!r}).write_bytes(Path({str(source)!r}).read_bytes())\n" for name, source in (writes or {}).items()
    )
    return f"out({log!r})\n{copies}sys.exit({code})\n"
