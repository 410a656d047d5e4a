"""Channels brought side by side so that blocks of zeros cost little, and a network that computes the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import training_networks as nets
from structure_networks import Chain, run

from edgecompile.compress.context import Samples
from edgecompile.compress.oneshot import neighbours
from edgecompile.compress.oneshot.masks import lowest
from edgecompile.compress.oneshot.pairing import paired
from edgecompile.compress.passes.distill import Distill
from edgecompile.compress.passes.prune import Prune
from edgecompile.compress.sites import sites_of, weights_of, with_constants
from edgecompile.compress.structure.groups import group
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.structure.reorder import moved, moves_of
from edgecompile.compress.subject import Distillation, Held, Subject
from edgecompile.core.errors import EdgecompileError
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
pytestmark = pytest.mark.tensorflow
BLOCKS = Prune(pattern="block2x2", sparsity=0.5, epochs=0, keep=0.0, allocation="uniform")


def _residual(seed: int, flat: bool = False) -> Network:
    c = Chain(seed)
    x = c.conv(c.x, 12)
    x = c.op("ADD", [x, c.conv(c.conv(x, 10), 12)], c.shape(x))
    return own_constants(c.end(c.dense(c.flat(x) if flat else c.mean(x), 5)))


def _lost(scores: dict[int, Array]) -> float:
    """What half of the blocks of each tensor take away of its scores."""
    return float(np.mean([a[lowest(a, "block2x2", 0.5)].sum() / a.sum() for a in scores.values()]))


def _scores(network: Network) -> dict[int, Array]:
    return {s.weights: np.square(weights_of(network, s).astype(np.float64)) for s in sites_of(network)}


@pytest.mark.parametrize("flat", [False, True], ids=["mean", "flatten"])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_lose_less_between_better_neighbours(seed: int, flat: bool) -> None:
    network = _residual(seed, flat)
    grouping, scores = group(network), _scores(network)

    moves = moves_of(network, grouping, paired(grouping, scores, dict.fromkeys(scores, 0.5)))

    assert _lost({t: moved(a, moves.get(t, {})) for t, a in scores.items()}) < _lost(scores)


def test_channels_that_matter_alike_are_found_among_the_others() -> None:
    network = _residual(0)
    grouping = group(network)
    # Of every group each second channel matters: no block could go, though half of the channels say nothing.
    scores = {tensor: np.full(a.shape, 1e-6) for tensor, a in _scores(network).items()}
    for array in scores.values():
        inputs = slice(None) if array.shape[-1] == 3 else slice(0, None, 2)
        array[:: 2 if len(array) != 5 else 1, ..., inputs] = 1.0
    before = _lost(scores)

    moves = moves_of(network, grouping, paired(grouping, scores, dict.fromkeys(scores, 0.5)))

    after = {tensor: moved(array, moves.get(tensor, {})) for tensor, array in scores.items()}
    # What is left is the quarter of blocks that matter in the tensors that read three channels or make five.
    assert before > 0.3 and _lost(after) < before / 5


def test_prune_loses_less_and_takes_its_own_teacher_along() -> None:
    network = _residual(1)
    x = np.random.default_rng(0).normal(size=(64, *network.main.tensors[network.main.inputs[0]].shape[1:]))
    context = nets.context(train=None, calibration=Samples(x=(x.astype(np.float32),)), score=None, validation=None)
    whole = Subject(network=network, teacher=network)

    better, plain = (replace(BLOCKS, reorder=r).run(whole, context) for r in (True, False))

    wanted = run(network, x[:, None].astype(np.float32))[0]
    errors = [np.square(run(one.network, x[:, None].astype(np.float32))[0] - wanted).sum() for one in (better, plain)]
    assert errors[0] < errors[1]
    assert (better.reordered, better.teacher_reordered) == (True, True)
    assert (plain.reordered, plain.teacher) == (False, network)
    assert better.teacher is not None and better.teacher is not network
    assert np.abs(run(better.teacher, x[:, None].astype(np.float32))[0] - wanted).max() < 1e-4 * np.abs(wanted).max()
    # Its channels stand where the network's do: weights that stayed are near their teacher's.
    ours, theirs = (
        {site.key: weights_of(one, site) for site in sites_of(one)} for one in (better.network, better.teacher)
    )
    near = [np.corrcoef(ours[key][ours[key] != 0], theirs[key][ours[key] != 0])[0, 1] for key in ours]
    assert min(near) > 0.6


def test_channels_of_weights_that_are_held_keep_their_places() -> None:
    network = _residual(2)
    (first, *_) = sites_of(network)
    zeros = np.zeros(network.main.tensors[first.weights].shape, bool)
    zeros[3] = True
    network = with_constants(network, {first.weights: np.where(zeros, np.float32(0), weights_of(network, first))})
    before = Subject(network=network, held={first.key: Held(zeros=zeros)})
    context = nets.context(train=None, calibration=None, score=None, validation=None)

    after = replace(BLOCKS, method="magnitude", skip=(f"^{first.key}$",)).run(before, context)

    np.testing.assert_array_equal(weights_of(after.network, first), weights_of(network, first))
    assert after.reordered  # the channels between the two other convolutions are free


def test_features_of_a_teacher_in_another_order_are_refused() -> None:
    network = nets.dense()
    context = nets.context(teachers={"other": lambda: nets.dense(seed=1)})
    pruned = replace(BLOCKS, method="magnitude").run(Subject(network=network, teacher=network), context)
    assert pruned.reordered

    with pytest.raises(EdgecompileError) as caught:
        Distill(teacher="other", feature_weight=1.0, epochs=1).run(pruned, context)

    assert caught.value.diagnostics[0].code == "EC315"
    assert "another order" in caught.value.diagnostics[0].message
    taught = replace(pruned, distillation=Distillation(feature_weight=1.0))
    assert Distill(epochs=1).run(taught, context).teacher is pruned.teacher


def test_an_order_in_which_outputs_are_others_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    network = _residual(1)
    x = np.random.default_rng(0).normal(size=(64, *network.main.tensors[network.main.inputs[0]].shape[1:]))
    context = nets.context(train=None, calibration=Samples(x=(x.astype(np.float32),)), score=None, validation=None)

    def askew(network: Network, moves: Any) -> Network:
        (first, *_) = sites_of(network)
        return with_constants(network, {first.weights: weights_of(network, first)[::-1]})

    monkeypatch.setattr(neighbours, "reordered", askew)

    after = BLOCKS.run(Subject(network=network, teacher=network), context)

    assert not after.reordered and after.teacher is network
    assert [one.code for one in context.diagnostics if one.code == "EC329"] == ["EC329"]
