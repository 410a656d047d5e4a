"""A recipe whose last step changed: what earlier steps trained is taken as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pipeline_networks import targets_of

from edgecompile.cache.store import Store
from edgecompile.core.project import DataSpec, Project
from edgecompile.core.recipe import Recipe, Step
from edgecompile.pipeline import build

MODEL = """
import sys, keras
keras.utils.set_random_seed(1)
x = keras.Input((8, 8, 1), name="image")
y = keras.layers.Conv2D(8, 3, activation="relu")(x)
y = keras.layers.Flatten()(y)
keras.Model(x, keras.layers.Dense(4, activation="softmax")(y)).save(sys.argv[1])
"""


class Trained:
    """A listener that keeps what each stage tells while it runs."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, stage: str, detail: str) -> None: ...

    def update(self, done: int, total: int, what: str) -> None:
        self.told.append(what)

    def end(self, summary: str) -> None: ...

    @property
    def epochs(self) -> int:
        """How often an epoch was told to be over, which is when its score is told."""
        return sum("epoch" in line and "left" not in line for line in self.told)


@pytest.mark.tensorflow
@pytest.mark.slow
def test_a_changed_last_step_trains_no_earlier_one_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", MODEL, str(tmp_path / "net.keras")], check=True, capture_output=True)
    draw = np.random.default_rng(5)
    x, y = draw.random((256, 8, 8, 1), dtype=np.float32), draw.integers(0, 4, 256)
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x[:32], y_test=y[:32])

    def epochs(sparsity: float, k: int) -> int:
        steps = (
            Step(name="prune", options={"sparsity": sparsity, "epochs": 2}),
            Step(name="cluster", options={"k": k, "epochs": 1}),
        )
        data = DataSpec(source="data.npz", calibration_samples=16)
        wanted = Project(
            model="net.keras", base=tmp_path, targets=("android-nnapi",), output=tmp_path / "out", data=data,
            recipe=Recipe(name="two", steps=steps, numerics="int8"), numerics="int8",
        )  # fmt: skip
        heard, store = Trained(), Store(folder=tmp_path / "cache", limit_bytes=1 << 30)
        build(wanted, targets_of(wanted), heard, cache=tmp_path / "cache", store=store)
        return heard.epochs

    both, last, none, first = epochs(0.5, 16), epochs(0.5, 8), epochs(0.5, 8), epochs(0.6, 8)

    assert (both, last, none, first) == (3, 1, 0, 3)
