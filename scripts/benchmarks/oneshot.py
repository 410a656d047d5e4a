"""One-shot compression without labels or training: accuracy of the emitted int8 artifact, bytes, values, seconds.

scripts/bench oneshot [--bars] [MODEL ...]

--bars: only the rows that have a limit, and plain int8 beside them. A model is named by a part of its name.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data_folder, loaders, table

from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.integers import hold
from edgecompile.compress.passes.cluster import Cluster
from edgecompile.compress.passes.prune import Prune
from edgecompile.compress.record import measure
from edgecompile.compress.simulate.run import run
from edgecompile.compress.subject import Subject
from edgecompile.convert.convert import convert
from edgecompile.convert.requantize import requantize
from edgecompile.core.recipe import Scheme
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.libs import litert
from edgecompile.libs.keras import tf_keras

Array = np.ndarray[Any, Any]
INT8 = Scheme(numerics="int8", io_dtype="int8")
CALIBRATION, VALIDATION = 512, 1000
STEPS: dict[str, tuple[Any, ...]] = {
    "int8 PTQ": (),
    "31 codes": (Cluster(k=31, epochs=0),),
    "15 codes": (Cluster(k=15, epochs=0),),
    "15 codes, k-means only": (Cluster(k=15, epochs=0, method="kmeans"),),
    "7 codes": (Cluster(k=7, epochs=0),),
    "30 % zeros": (Prune(sparsity=0.3, epochs=0),),
    "30 % zeros + 15 codes": (Prune(sparsity=0.3, epochs=0), Cluster(k=15, epochs=0)),
    "50 % zeros + 15 codes": (Prune(sparsity=0.5, epochs=0), Cluster(k=15, epochs=0)),
    "50 % zeros by size": (Prune(sparsity=0.5, epochs=0, method="magnitude"),),
    "2:4": (Prune(sparsity=0.5, pattern="2:4", epochs=0),),
    "50 % blocks + 16 codes": (Prune(sparsity=0.5, pattern="block2x2", epochs=0), Cluster(k=16, epochs=0)),
}
# Points that rows may lie below plain int8 on ResNet-8's 5,000 test images.
LIMITS = {"15 codes": 0.5, "30 % zeros + 15 codes": 1.0}


@dataclass(frozen=True)
class Task:
    """A model, unlabelled training samples, and test samples with labels (empty: agreement with the float model)."""

    model: Path
    train: Array
    test: Array
    labels: Array


def tasks(folder: Path) -> dict[str, Callable[[], Task]]:
    """Tasks by name; each is read when it is asked for."""

    def resnet() -> Task:
        (x, _), (x_test, y_test) = loaders(folder).cifar10()
        return Task(folder / "models/mlperf_ic_resnet8.h5", *(_floats(part) for part in (x, x_test)), y_test)

    def kws() -> Task:
        (x, _), (x_test, y_test) = loaders(folder).speech_commands()
        return Task(folder / "models/kws_dscnn.h5", x, x_test, y_test)

    def vww() -> Task:
        # There are no pictures of persons here: CIFAR-10, three times as large, and the float model's own answers.
        (x, _), (x_test, _) = loaders(folder).cifar10()
        return Task(
            folder / "models/mlperf_vww96_mobilenetv1_025.h5",
            *(_floats(part[:2000].repeat(3, axis=1).repeat(3, axis=2)) / np.float32(255) for part in (x, x_test)),
            np.array([]),
        )

    return {"ResNet-8": resnet, "KWS DS-CNN": kws, "VWW (agreement)": vww}


def main(names: Sequence[str]) -> int:
    """Print a table for each model asked for; exit 1 when ResNet-8 loses more than it may."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    steps = {title: STEPS[title] for title in ("int8 PTQ", *LIMITS)} if "--bars" in names else STEPS
    names = [name for name in names if name != "--bars"]
    worst = True
    for name, task in tasks(data_folder()).items():
        if not names or any(given.lower() in name.lower() for given in names):
            worst &= bench(name, task(), steps)
    return 0 if worst else 1


def bench(name: str, task: Task, recipes: Mapping[str, tuple[Any, ...]] = STEPS) -> bool:
    """One model's table; whether it holds the limits."""
    model = tf_keras().models.load_model(task.model, compile=False)
    floats = read(convert(model, Scheme(numerics="float32", io_dtype="float32"), None, 0))
    order = np.random.default_rng(0).permutation(len(task.train))
    calibration, validation = np.split(task.train[order[: CALIBRATION + VALIDATION]], [CALIBRATION])
    labels = task.labels if len(task.labels) else answers(floats, task.test)
    print(
        f"\n{name}: {len(labels)} test samples, float {np.mean(answers(floats, task.test) == labels):.4f}", flush=True
    )
    context = Context(
        quantize=lambda network: network,
        calibration=Samples(x=(calibration,)),
        validation=Samples(x=(validation,), y=(answers(floats, validation),)),
        score=Score(name="agreement with the float model", of=agreement),
    )
    rows: list[tuple[str, ...]] = [
        ("recipe", "top-1", "points", "zeros %", "most values", "entropy, bytes", "seconds", "CPU s")
    ]
    found: dict[str, float] = {}
    for title, steps in recipes.items():
        started, busy = time.monotonic(), time.process_time()
        subject = Subject(network=floats)
        for step in steps:
            subject = step.run(subject, context)
        seconds, busy = time.monotonic() - started, time.process_time() - busy
        emitted = hold(requantize(subject.network, INT8, [calibration[:256]]), subject.network, subject.held)
        outputs = litert.invoke(write(emitted), [task.test], runtime=litert.choose("tflite")).real()[0]
        found[title] = float(np.mean(outputs.reshape(len(outputs), -1).argmax(axis=1) == labels))
        record = measure(title, Subject(network=emitted, held=subject.held), {}, None, seconds)
        points = 100 * (found[title] - found["int8 PTQ"])
        rows.append((
            title, f"{found[title]:.4f}", f"{points:+.2f}", f"{100 * record.sparsity:.1f}", str(record.distinct),
            str(record.entropy_bytes), f"{seconds:.1f}", f"{busy:.1f}",
        ))  # fmt: skip
        print(f"  {title}: {found[title]:.4f}", file=sys.stderr, flush=True)
    print(table(rows), flush=True)
    return name != "ResNet-8" or all(100 * (found["int8 PTQ"] - found[row]) <= most for row, most in LIMITS.items())


def answers(network: Network, x: Array) -> Array:
    """The class that the float network gives to each sample."""
    outputs = run(network, (x,), batch=250)[0][0]
    return np.asarray(outputs.reshape(len(x), -1).argmax(axis=1))


def agreement(outputs: Sequence[Array], samples: Samples) -> float:
    """Share of samples that get the class of ``samples.y``."""
    return float(np.mean(outputs[0].reshape(len(samples), -1).argmax(axis=1) == samples.y[0]))


def _floats(x: Array) -> Array:
    return x.astype(np.float32)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
