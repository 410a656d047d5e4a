"""The emulated half of ``libs/arm64.py``: an ARM64 Python calls it, and it does what ``litert_child`` does here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgecompile.core.errors import EdgecompileError
from edgecompile.core.progress import Silent
from edgecompile.libs import litert_child


def answer(folder: Path) -> None:
    """Read ``request.json`` of the folder; write ``answer.json``: the result, or the diagnostics of a refusal."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    told: dict[str, Any]
    try:
        told = {"result": litert_child.run(**request, progress=Silent())}
    except EdgecompileError as error:
        told = {"exit_code": error.exit_code, "diagnostics": [one.to_dict() for one in error.diagnostics]}
    (folder / "answer.json").write_text(json.dumps(told), encoding="utf-8")
