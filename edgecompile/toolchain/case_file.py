"""Everything about a wrong prediction in one file that can be sent to others: no name of a folder of this machine."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from edgecompile import __version__
from edgecompile.toolchain.command import without_folders
from edgecompile.toolchain.compile import File, Request

# The earliest that a zip can say: equal cases are equal bytes.
_WHEN = (1980, 1, 1, 0, 0, 0)


def case_file(request: Request, *, log: str, version: str, compiled: bytes, differences: Sequence[str]) -> File:
    """``NAME_case.zip``: the model, what the compiler made of it and printed, and what was predicted."""
    case = {
        "edgecompile": __version__,
        "target": request.target.id,
        "compiler": version,
        "differences": list(differences),
        "predicted": {
            "operators": [[one.name, one.accelerated, one.status] for one in request.predicted],
            "measures": dict(request.measures),
        },
    }
    parts = {
        "case.json": _json(case),
        "compiler.log": without_folders(log).encode(),
        f"{request.name}.tflite": request.content,
        f"{request.name}_compiled.tflite": compiled,
    }
    return File(path=f"{request.name}_case.zip", kind="case", content=_zipped(parts))


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _zipped(parts: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            if content:
                entry = zipfile.ZipInfo(name, _WHEN)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)
    return whole.getvalue()
