"""Float fine-tuning of ResNet-8 with the trainer's own defaults: the baseline that compressed networks stand beside.

14,000 of the CIFAR-10 training images train, 2,000 choose the checkpoint, the 5,000 test images are looked at once.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from _shared import data_folder, loaders, table

from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.passes.finetune import Finetune
from edgecompile.compress.simulate.run import run
from edgecompile.compress.subject import Subject
from edgecompile.convert.convert import convert
from edgecompile.core.recipe import Scheme
from edgecompile.frontend.keras_model import load
from edgecompile.frontend.source import open_model
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read

ACCURACY = Score(name="accuracy", of=lambda outputs, some: float((outputs[0].argmax(-1) == some.y[0]).mean()))


class Lines:
    """Prints what training says, a line for each epoch."""

    def begin(self, stage: str, detail: str) -> None:
        """Nothing to print."""

    def update(self, done: int, total: int, what: str) -> None:
        """The end of an epoch has no time left in it."""
        if "left" not in what:
            print(f"  step {done} of {total}: {what}", flush=True)

    def end(self, summary: str) -> None:
        """Nothing to print."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--learning-rate", type=float, default=Finetune().learning_rate)
    arguments.add_argument("--batch-size", type=int, default=Finetune().batch_size)
    arguments.add_argument("--epochs", type=int, default=Finetune().epochs)
    arguments.add_argument("--no-test", action="store_true", help="tune: leave the test images alone")
    asked = arguments.parse_args()
    folder = data_folder()
    network = resnet8(folder)
    train, held_out, test = cifar10(folder)
    step = Finetune(
        epochs=asked.epochs, learning_rate=asked.learning_rate, batch_size=asked.batch_size, augment=("flip",)
    )
    context = Context(quantize=lambda given: given, train=train, validation=held_out, score=ACCURACY, progress=Lines())
    started = time.monotonic()
    trained = step.run(Subject(network=network, teacher=network), context).network
    seconds = time.monotonic() - started
    rows = [("network", "held-out images", "test images")]
    for name, one in (("as given", network), (f"fine-tuned, {step.epochs} epochs, {seconds:.0f} s", trained)):
        rows.append((name, accuracy(one, held_out), "-" if asked.no_test else accuracy(one, test)))
    print(table(rows))


def accuracy(network: Network, some: Samples) -> str:
    """The share of right answers, simulated."""
    return f"{ACCURACY.of(run(network, some.x, batch=250)[0], some):.4f}"


def resnet8(folder: Path) -> Network:
    """MLPerf Tiny's ResNet-8, converted in float."""
    source = open_model(str(folder / "models" / "mlperf_ic_resnet8.h5"), folder)
    model = load(source, None, False, folder).model
    return read(convert(model, Scheme(numerics="float32", io_dtype="float32"), None, 0))


def cifar10(folder: Path) -> tuple[Samples, Samples, Samples]:
    """Training, held-out (from the training images) and test samples."""
    (x, y), (x_test, y_test) = loaders(folder).cifar10()
    shuffled = np.random.default_rng(7).permutation(len(x))
    whole = Samples(x=(x.astype(np.float32),), y=(np.asarray(y).reshape(-1),))
    test = Samples(x=(x_test.astype(np.float32),), y=(np.asarray(y_test).reshape(-1),))
    return whole.take(np.sort(shuffled[2000:])), whole.take(np.sort(shuffled[:2000])), test


if __name__ == "__main__":
    main()
