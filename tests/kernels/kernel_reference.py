"""Run models in TensorFlow Lite Micro, in a process of its own: kernel_reference.py FOLDER.

FOLDER holds NAME.tflite and NAME.npz (inputs by position, samples first); NAME.out.npz is written, or NAME.why.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from edgecompile.core.errors import EdgecompileError
from edgecompile.libs.litert_engines import MicroEngine


def run(folder: Path) -> None:
    for path in sorted(folder.glob("*.tflite")):
        inputs = np.load(path.with_suffix(".npz"))
        try:
            engine = MicroEngine(path.read_bytes(), path.name)
        except EdgecompileError as error:
            path.with_suffix(".why").write_text(error.diagnostics[0].render())
            continue
        outputs: list[list[np.ndarray]] = [[] for _ in engine.outputs]
        for sample in range(len(inputs[inputs.files[0]])):
            for index, name in enumerate(inputs.files):
                engine.set(index, inputs[name][sample])
            engine.invoke()
            for index, kept in enumerate(outputs):
                kept.append(engine.get(index))
        np.savez(path.with_suffix(".out.npz"), *[np.stack(kept) for kept in outputs])


if __name__ == "__main__":
    run(Path(sys.argv[1]))
