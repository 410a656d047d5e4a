"""Surgery on whole channels: what the formula promises is what least squares finds, and stand-ins go first."""

from __future__ import annotations

import numpy as np
import pytest
from structure_networks import Chain, run

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.passes.prune_channels import PruneChannels
from edgecompile.compress.structure.refit import Elimination, Reader
from edgecompile.compress.subject import Subject
from edgecompile.ir.network import Network


def _reader(x: np.ndarray, weights: np.ndarray, channels: int) -> Reader:  # type: ignore[type-arg]
    places = np.arange(x.shape[1]) % channels
    return Reader(
        weights=weights,
        inverse=np.linalg.inv(x.T @ x / len(x)),
        columns=tuple(np.flatnonzero(places == channel) for channel in range(channels)),
        worth=np.array([1.0, 2.0, 0.5]),
    )


def _left_over(x: np.ndarray, weights: np.ndarray, gone: np.ndarray) -> float:  # type: ignore[type-arg]
    """The least weighted mean square error without some columns, as NumPy's solver finds it."""
    left = np.setdiff1d(np.arange(x.shape[1]), gone)
    wanted = x @ weights.T
    found, *_ = np.linalg.lstsq(x[:, left], wanted, rcond=None)
    return float(np.square(wanted - x[:, left] @ found).mean(axis=0) @ np.array([1.0, 2.0, 0.5]))


def test_costs_are_what_least_squares_leaves_over() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 12)) @ random.normal(size=(12, 12))
    weights = random.normal(size=(3, 12))
    state = Elimination(_reader(x, weights, channels=4))

    first = state.cost([2])
    state.remove([2])
    second = state.cost([0])

    assert first == pytest.approx(_left_over(x, weights, np.array([2, 6, 10])), rel=1e-6)
    assert first + second == pytest.approx(_left_over(x, weights, np.array([0, 2, 4, 6, 8, 10])), rel=1e-6)


def _with_copies() -> Network:
    """A layer whose second half of channels repeats its first half, and one that reads all with large weights."""
    c = Chain(3)
    x = c.conv(c.x, 16)
    network = c.end(c.dense(c.mean(c.conv(x, 16)), 5))
    made, bias = (network.main.operators[0].inputs[slot] for slot in (1, 2))
    for index in (made, bias):
        array = np.array(network.main.tensors[index].array)
        array[8:] = array[:8]
        c.build.tensors[index] = c.build.tensors[c.build.constant(f"copied{index}", array)]
    return c.build.build()


@pytest.mark.tensorflow
def test_channels_that_others_stand_in_for_go_first() -> None:
    network = _with_copies()
    random = np.random.default_rng(0)
    x, fresh = (random.normal(size=(n, 6, 6, 3)).astype(np.float32) for n in (300, 20))
    context = Context(quantize=lambda _: pytest.fail("no pass on floats quantizes"), calibration=Samples(x=(x,)))

    one = PruneChannels(epochs=0, channels=24 / 32, multiple_of=1)
    after = one.run(Subject(network=network), context).network

    widths = [after.main.tensors[op.outputs[0]].shape[3] for op in after.main.operators if op.name == "CONV_2D"]
    assert widths == [8, 16]
    wanted = run(network, fresh)[0]
    # The ridge holds weights near where they were, so that halves which must double miss a little.
    assert np.abs(run(after, fresh)[0] - wanted).max() < 0.02 * np.abs(wanted).max()
