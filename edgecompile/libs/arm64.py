"""Run a ``.tflite`` by an ARM64 interpreter under emulation: the instructions that a phone executes, without one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import edgecompile
from edgecompile.core.diagnostic import from_dict
from edgecompile.core.errors import from_exit_code, rejected
from edgecompile.libs.affine import Port
from edgecompile.libs.arm64_setup import QEMU, RUNTIMES, Arm64
from edgecompile.libs.litert import Array, Outputs
from edgecompile.libs.programs import run

# A core of 2018, in many phones since: dot products, half floats. XNNPACK answers differently on `max`.
CPU = "cortex-a76"
_TIMEOUT_S = 1800.0


def invoke_arm64(
    model: bytes,
    inputs: Sequence[Array],
    *,
    arm64: Arm64,
    runtime: str,
    resolver: str = "default",
    real: bool = False,
    name: str = "the model",
) -> Outputs:
    """As ``litert.invoke``, but on an emulated ARM64 processor; ``runtime`` is one of ``RUNTIMES``.

    Raises RejectedError EC772 when the interpreter dies or takes too long, and what ``litert.invoke`` raises.
    """
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as name_of_folder:
        folder = Path(name_of_folder)
        (folder / "model.tflite").write_bytes(model)
        for index, array in enumerate(inputs):
            np.save(folder / f"input_{index}.npy", np.asarray(array), allow_pickle=False)
        request = {
            "folder": str(folder),
            "runtime": runtime,
            "version": RUNTIMES[runtime],
            "name": name,
            "count": len(inputs),
            "resolver": resolver,
            "real": real,
            "workers": 1,
        }
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        answer = _ask(folder, arm64, name)
        arrays = tuple(np.load(folder / f"output_{index}.npy") for index in range(len(answer["outputs"])))
    return Outputs(
        arrays=arrays,
        outputs=tuple(Port.from_dict(plain) for plain in answer["outputs"]),
        inputs=tuple(Port.from_dict(plain) for plain in answer["inputs"]),
        described=f"{runtime} {RUNTIMES[runtime]} for ARM64, {answer['resolver']}, emulated {CPU}",
        samples=len(inputs[0]) if inputs else 0,
    )


def time_arm64(model: bytes, *, arm64: Arm64, runtime: str, runs: int, name: str = "the model") -> list[float]:
    """Processor seconds of each run by one emulated thread: for two models against each other, not for a phone.

    Raises RejectedError EC772 as :func:`invoke_arm64`.
    """
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as name_of_folder:
        folder = Path(name_of_folder)
        (folder / "model.tflite").write_bytes(model)
        request = {"folder": str(folder), "runtime": runtime, "name": name, "runs": runs}
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        return [float(one) for one in _ask(folder, arm64, name)]


def _ask(folder: Path, arm64: Arm64, name: str) -> Any:
    package = Path(edgecompile.__file__).resolve().parent
    code = (
        f"import sys; sys.path[:0] = {[str(arm64.site), str(package.parent)]!r}; from pathlib import Path; "
        f"from edgecompile.libs.arm64_guest import answer; answer(Path({str(folder)!r}))"
    )
    # The guest's own packages only: -P leaves out the working folder, -S and -E what this machine has installed.
    words = [str(arm64.python), "-P", "-S", "-E", "-c", code]
    done = run([QEMU, "-cpu", CPU, "-L", arm64.root, *words], _TIMEOUT_S, purpose="to run ARM64 programs here")
    told = folder / "answer.json"
    if not told.is_file():
        how = "took too long" if done.timed_out else f"ended with exit code {done.returncode}"
        said = [line for line in done.stderr.splitlines() if line.strip()][-4:]
        raise rejected(
            "EC772",
            "the ARM64 interpreter died on this model",
            name,
            notes=(f"{QEMU} {how}", *said),
            help=(
                "`run --on host` tells whether it runs on this processor",
                "set it up anew: edgecompile doctor --install arm64",
            ),
        )
    answer = json.loads(told.read_text(encoding="utf-8"))
    if "result" in answer:
        return answer["result"]
    raise from_exit_code(answer["exit_code"], map(from_dict, answer["diagnostics"]))
