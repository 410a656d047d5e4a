"""Run pairs of .tflite files and print, as JSON lines, whether both ran and gave equal outputs.

Usage: python ir_run_pairs.py FOLDER_A FOLDER_B. Each pair runs in a fork, for some models end the process.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    from ai_edge_litert.interpreter import Interpreter

# What a child says once the first file of its pair has run, and what stands for a child that says no more.
RAN = b"ran\n"
CRASH = b'{"ran": false, "equal": false, "why": "crash"}'


def outputs(path: Path) -> list[Any]:
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    random = np.random.default_rng(7)
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], values(detail, random))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def values(detail: dict[str, Any], random: np.random.Generator) -> Any:
    dtype, shape = np.dtype(detail["dtype"]), detail["shape"]
    if dtype.kind in "iu":
        return random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    if dtype.kind == "f":
        return random.standard_normal(shape).astype(dtype)
    return np.full(shape, b"a few words of text") if dtype.kind in "SO" else np.ones(shape, dtype)


def compare(a: Path, b: Path, tell: int) -> dict[str, Any]:
    try:
        wanted = outputs(a)
    except (ValueError, RuntimeError) as why:
        return {"ran": False, "why": str(why)[:80]}
    os.write(tell, RAN)
    found = outputs(b)
    return {"ran": True, "equal": len(wanted) == len(found) and all(map(same, wanted, found))}


def same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def main() -> None:
    for a in sorted(Path(sys.argv[1]).glob("*.tflite")):
        end, start = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                answer = compare(a, Path(sys.argv[2]) / a.name, start)
            except BaseException as why:
                answer = {"ran": True, "equal": False, "why": repr(why)[:80]}
            os.write(start, json.dumps(answer).encode())
            os._exit(0)
        os.close(start)
        os.waitpid(child, 0)
        with os.fdopen(end, "rb") as pipe:
            said = pipe.read()
        answer = json.loads(said.removeprefix(RAN) or CRASH)
        print(json.dumps({"name": a.name, **answer, "ran": said.startswith(RAN) or answer["ran"]}))


main()
