"""Channels taken out (ResNet-8, KWS at half the work) and layers split (autoencoders at half their bytes), in float.

scripts/bench structure [ENTRY ...] [--work DIR] [--epochs N]

Entries: kws, watch, ad01, resnet8. Each prints JSON lines, kept in --work (finished ones are printed again, not done
again; training goes on from its last epoch after a kill). Checkpoints are chosen on held-out training samples;
``score`` is on the test samples: top-1, or the mean squared error on the last two subjects of watch_imu. ``baseline``
is the given float model, fine-tuned on the same data. ad01 comes without data: its line gives how far the outputs
move on noise, relative to their variance.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from _shared import data_folder, loaders

from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.contract import Pass
from edgecompile.compress.passes.finetune import Finetune
from edgecompile.compress.passes.low_rank import LowRank
from edgecompile.compress.passes.prune_channels import PruneChannels
from edgecompile.compress.structure.counts import count
from edgecompile.compress.subject import Subject
from edgecompile.convert.convert import convert
from edgecompile.core.recipe import Scheme
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.libs.keras import tf_keras

Array = np.ndarray[Any, Any]
FLOAT = Scheme(numerics="float32", io_dtype="float32")
TOP1 = Score(name="top1", of=lambda outputs, some: float((outputs[0].argmax(-1) == some.y[0]).mean()))
_BASELINE_EPOCHS = 8
MSE = Score(
    name="mse",
    of=lambda outputs, some: float(np.square(outputs[0] - some.y[0]).mean()),
    higher_is_better=False,
)


@dataclass(frozen=True)
class Task:
    """A float network, what it learns from and is tested on, and for how long."""

    network: Network
    train: Samples
    held_out: Samples
    test: Samples
    score: Score
    epochs: int
    augment: tuple[str, ...] = ()
    batch_size: int = 64


def resnet8(folder: Path) -> Task:
    """CIFAR-10: 14,000 training images, 2,000 held out, 5,000 test images."""
    (x, y), (x_test, y_test) = loaders(folder).cifar10()
    network = of_file(folder / "models" / "mlperf_ic_resnet8.h5")
    return task(network, x, y, x_test, y_test, held_out=2000, epochs=20, augment=("flip",))


def kws(folder: Path) -> Task:
    """Speech Commands: the given training speakers, 200 clips of them held out, the given test speakers."""
    (x, y), (x_test, y_test) = loaders(folder).speech_commands()
    network = of_file(folder / "models" / "kws_dscnn.h5")
    return task(network, x, y, x_test, y_test, held_out=200, epochs=60, augment=("time_shift", "noise"), batch_size=32)


def watch(folder: Path) -> Task:
    """An autoencoder of 100 x 6 windows, trained here (60 epochs) on all subjects but the last two."""
    with np.load(folder / "datasets" / "watch_imu.npz") as given:
        x, subject = given["x"].astype(np.float32), given["subject"]
    last = np.isin(subject, np.unique(subject)[-2:])
    mean, deviation = x[~last].mean((0, 1)), x[~last].std((0, 1))
    x = ((x - mean) / deviation).reshape(len(x), -1)
    keras = tf_keras()
    keras.utils.set_random_seed(0)
    widths = (128, 64, 24, 64, 128)
    layers = [keras.layers.Dense(width, activation="relu") for width in widths]
    model = keras.Sequential([keras.Input((x.shape[1],)), *layers, keras.layers.Dense(x.shape[1])])
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    order = np.random.default_rng(0).permutation(int((~last).sum()))
    known = x[~last][order]
    model.fit(known[200:], known[200:], epochs=60, batch_size=32, verbose=0)
    network = read(convert(model, FLOAT, None, 0))
    return Task(
        network=network,
        train=Samples(x=(known[200:],), y=(known[200:],)),
        held_out=Samples(x=(known[:200],), y=(known[:200],)),
        test=Samples(x=(x[last],), y=(x[last],)),
        score=MSE,
        epochs=30,
    )


def ad01(folder: Path) -> Task:
    """MLPerf Tiny's anomaly detector, on noise: there is no data for it."""
    random = np.random.default_rng(0)
    noise = [Samples(x=(random.normal(size=(n, 640)).astype(np.float32),)) for n in (512, 64, 256)]
    network = of_file(folder / "models" / "mlperf_ad01.h5")
    return Task(network=network, train=noise[0], held_out=noise[1], test=noise[2], score=MSE, epochs=0)


def task(
    network: Network,
    x: Array,
    y: Array,
    x_test: Array,
    y_test: Array,
    *,
    held_out: int,
    epochs: int,
    augment: tuple[str, ...] = (),
    batch_size: int = 64,
) -> Task:
    """A classifier's task; ``held_out`` training samples choose checkpoints."""
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order].reshape(-1)
    return Task(
        network=network,
        train=Samples(x=(x[held_out:],), y=(y[held_out:],)),
        held_out=Samples(x=(x[:held_out],), y=(y[:held_out],)),
        test=Samples(x=(x_test.astype(np.float32),), y=(y_test.reshape(-1),)),
        score=TOP1,
        epochs=epochs,
        augment=augment,
        batch_size=batch_size,
    )


def of_file(path: Path) -> Network:
    """The float network of a Keras model."""
    return read(convert(tf_keras().models.load_model(path, compile=False), FLOAT, None, 0))


ENTRIES: dict[str, tuple[Callable[[Path], Task], Callable[[Task], Sequence[tuple[str, Sequence[Pass]]]]]] = {
    "kws": (kws, lambda t: channels(t)),
    "watch": (watch, lambda t: ranks(t)),
    "ad01": (ad01, lambda t: [("parameters 0.5", [LowRank(epochs=0, parameters=0.5)])]),
    "resnet8": (resnet8, lambda t: channels(t)),
}


def channels(given: Task) -> Sequence[tuple[str, Sequence[Pass]]]:
    """The model with its size, fine-tuned; and from there half the multiply-accumulates, the former its teacher.

    Without training, by what tells how much a channel matters; and with the teacher's answers on mixed samples.
    """
    baseline = Finetune(epochs=_BASELINE_EPOCHS, augment=given.augment)
    half = PruneChannels(
        epochs=given.epochs,
        macs=0.5,
        augment=(*given.augment, "mixup"),
        batch_size=given.batch_size,
    )
    untrained = [
        (f"macs 0.5 untrained {importance}", [baseline, replace(half, epochs=0, importance=importance)])
        for importance in ("magnitude", "outputs", "refit")
    ]
    return [("baseline", [baseline]), *untrained, ("macs 0.5", [baseline, half])]


def ranks(given: Task) -> Sequence[tuple[str, Sequence[Pass]]]:
    """Half the bytes, before and after training, and the model with its size, trained alike."""
    return [
        ("baseline", [Finetune(epochs=given.epochs)]),
        ("flash 0.5 untrained", [LowRank(epochs=0, flash=0.5)]),
        ("flash 0.5", [LowRank(epochs=given.epochs, flash=0.5)]),
    ]


def measure(entry: str, name: str, steps: Sequence[Pass], given: Task, folder: Path) -> dict[str, Any]:
    """Run passes, each the teacher of the next, and count what came out."""
    from edgecompile.compress.simulate.run import run

    def unused(network: Network) -> Network:
        raise AssertionError("no pass here quantizes")

    context = Context(
        quantize=unused,
        train=given.train,
        validation=given.held_out,
        calibration=Samples(x=given.train.take(slice(0, 256)).x),
        score=given.score,
        folder=folder,
    )
    started = time.monotonic()
    after = given.network
    for one in steps:
        after = one.run(Subject(network=after, teacher=after), context).network
    seconds = time.monotonic() - started
    before = run(given.network, given.test.x)[0]
    outputs = run(after, given.test.x)[0]
    found = {"entry": entry, "step": name, "seconds": round(seconds, 1)}
    for what in ("macs", "parameters", "bytes"):
        found[f"{what}_kept"] = round(count(after, what) / count(given.network, what), 4)
    if given.test.y:
        found["float"] = round(given.score.of(before, given.test), 5)
        found["score"] = round(given.score.of(outputs, given.test), 5)
    found["outputs_moved"] = round(float(np.square(outputs[0] - before[0]).mean() / np.var(before[0])), 5)
    return found


def main() -> int:
    """Print a JSON line for each step of the entries asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench structure", description=__doc__)
    parser.add_argument("entries", nargs="*", choices=[*ENTRIES, []], default=[*ENTRIES])
    parser.add_argument("--work", type=Path, default=Path("build") / "bench-structure")
    parser.add_argument("--epochs", type=int, help="instead of each entry's own number")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    for entry in given.entries or ENTRIES:
        load, steps = ENTRIES[entry]
        task_of = load(data_folder())
        if given.epochs is not None:
            task_of = replace(task_of, epochs=given.epochs)
        for name, passes in steps(task_of):
            kept = given.work / f"{entry}-{name.replace(' ', '_')}-{task_of.epochs}.json"
            if not kept.exists():
                kept.write_text(json.dumps(measure(entry, name, passes, task_of, given.work)) + "\n")
            print(kept.read_text(), end="", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
