"""One-shot results are computed once: a build that was killed in training goes on from them, to the same result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import training_networks as nets

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.oneshot import apply as applying
from edgecompile.compress.passes.cluster import Cluster
from edgecompile.compress.passes.prune import Prune
from edgecompile.compress.run import Named, run
from edgecompile.compress.subject import Subject
from edgecompile.compress.training import course as courses
from edgecompile.ir.writer import write

pytestmark = pytest.mark.tensorflow

STEPS = {
    "prune": Prune(epochs=0, sparsity=0.3),
    "blocks": Prune(epochs=0, sparsity=0.4, pattern="block2x2"),
    "cluster": Cluster(epochs=0, k=4),
}
TRAINED = Prune(epochs=3, batch_size=32, sparsity=0.3)


class Killed(Exception):
    """In place of kill -9."""


def subject() -> Subject:
    return Subject(network=nets.dense())


def assert_equal(one: Subject, other: Subject) -> None:
    assert write(one.network) == write(other.network)
    assert one.held.keys() == other.held.keys()
    for key, held in one.held.items():
        twin = other.held[key]
        assert (held.pattern, held.centroids, held.bits) == (twin.pattern, twin.centroids, twin.bits)
        for name in ("zeros", "codes", "scales"):
            assert np.array_equal(getattr(held, name), getattr(twin, name)), name


@pytest.mark.parametrize("one", STEPS.values(), ids=STEPS.keys())
def test_what_was_computed_is_read_back_to_the_same_bytes(
    one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = one.run(subject(), nets.context())
    first = one.run(subject(), nets.context(folder=tmp_path))
    monkeypatch.setattr(applying, "_matched", lambda *_: pytest.fail("computed again"))
    context = nets.context(folder=tmp_path)

    again = one.run(subject(), context)

    assert context.taken_over == ["one-shot weights"]
    for found in (first, again):
        assert_equal(plain, found)


def test_what_determines_a_result_finds_it(tmp_path: Path) -> None:
    others: list[tuple[Any, Context]] = [
        (Prune(epochs=0, sparsity=0.3), nets.context(folder=tmp_path)),
        (Prune(epochs=0, sparsity=0.31), nets.context(folder=tmp_path)),
        (Prune(epochs=0, sparsity=0.3), nets.context(folder=tmp_path, seed=1)),
        (Prune(epochs=0, sparsity=0.3), nets.context(folder=tmp_path, train=nets.samples(256, seed=9))),
        (Prune(epochs=0, sparsity=0.3), nets.context(folder=tmp_path, validation=nets.samples(64, seed=3))),
    ]

    for one, context in others:
        one.run(subject(), context)
        assert context.taken_over == []

    assert len(list(tmp_path.iterdir())) == len(others)


def test_a_damaged_result_is_computed_again(tmp_path: Path) -> None:
    one = STEPS["prune"]
    whole = one.run(subject(), nets.context(folder=tmp_path))
    (file,) = tmp_path.glob("oneshot-*/*.checkpoint")
    file.write_bytes(file.read_bytes()[:-10])
    context = nets.context(folder=tmp_path)

    again = one.run(subject(), context)

    assert [one.code for one in context.diagnostics] == ["EC317"]
    assert_equal(whole, again)


def test_a_step_that_was_killed_in_training_says_what_it_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = TRAINED.run(subject(), nets.context(folder=tmp_path / "a"))
    finish = courses.Course._finish_epoch

    def die(self: Any, standing: Any, loss: float) -> None:
        if standing.epoch == 2:
            raise Killed
        finish(self, standing, loss)

    with monkeypatch.context() as patch:
        patch.setattr(courses.Course, "_finish_epoch", die)
        with pytest.raises(Killed):
            TRAINED.run(subject(), nets.context(folder=tmp_path / "b"))
    listener = nets.Listener()

    steps = [Named(title="prune", one=TRAINED)]
    resumed = run(subject(), steps, nets.context(folder=tmp_path / "b", progress=listener), {}, lambda record: None)

    assert listener.ended[0].endswith(", taken over from an earlier run: one-shot weights and 2 of 3 epochs")
    assert_equal(whole, resumed)


def test_without_a_folder_nothing_is_kept() -> None:
    context = nets.context(calibration=Samples(x=nets.samples(40).x))

    STEPS["prune"].run(subject(), context)
    STEPS["prune"].run(subject(), context)

    assert context.taken_over == []
