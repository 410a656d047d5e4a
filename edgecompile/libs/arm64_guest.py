"""The emulated half of ``libs/arm64.py``: an ARM64 Python calls it, and it does what ``litert_child`` does here."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from edgecompile.core.errors import EdgecompileError
from edgecompile.core.progress import Silent
from edgecompile.libs import litert_child
from edgecompile.libs.litert_engines import load
from edgecompile.libs.litert_feed import sample_inputs


def answer(folder: Path) -> None:
    """Read ``request.json`` of the folder; write ``answer.json``: the result, or the diagnostics of a refusal."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    told: dict[str, Any]
    try:
        told = {"result": time_runs(**request) if "runs" in request else litert_child.run(**request, progress=Silent())}
    except EdgecompileError as error:
        told = {"exit_code": error.exit_code, "diagnostics": [one.to_dict() for one in error.diagnostics]}
    (folder / "answer.json").write_text(json.dumps(told), encoding="utf-8")


def time_runs(folder: str, runtime: str, name: str, runs: int) -> list[float]:
    """Processor seconds of each run of ``model.tflite`` on one seeded sample by one thread, after one to warm up."""
    engine = load((Path(folder) / "model.tflite").read_bytes(), runtime, "default", name)
    for index, value in enumerate(sample_inputs(engine.inputs, 0)):
        engine.set(index, value)
    engine.invoke()
    taken = []
    for _ in range(runs):
        started = time.process_time()
        engine.invoke()
        taken.append(time.process_time() - started)
    return taken
