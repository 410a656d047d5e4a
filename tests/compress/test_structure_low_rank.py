"""The pass low_rank: exact at full rank, least error on samples, budgets kept, names that outlive it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from structure_networks import Chain, run

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.contract import passes
from edgecompile.compress.option import check_options
from edgecompile.compress.passes.low_rank import LowRank
from edgecompile.compress.sites import sites_of
from edgecompile.compress.structure.counts import count
from edgecompile.compress.structure.factor import Moments, factor, merged
from edgecompile.compress.structure.insert import insert
from edgecompile.compress.structure.ranks import Split, allocate, four_axes, layers_of
from edgecompile.compress.subject import Subject
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.core.recipe import Step
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write

Array = np.ndarray[Any, Any]


def _unused(network: Network) -> Network:
    raise AssertionError("no pass on floats quantizes")


def _context(x: Array | None = None) -> Context:
    return Context(quantize=_unused, calibration=Samples(x=(x,)) if x is not None else None)


def _autoencoder(seed: int = 0, rank: int | None = None) -> Network:
    """Dense layers of 48 inputs, of low rank where one is given."""
    c = Chain(seed, size=4)
    x = c.dense(c.flat(c.x), 40, "RELU")
    y = c.dense(c.dense(x, 32, "RELU"), 48)
    if rank:
        for tensor in [operator.inputs[1] for operator in c.build.operators if operator.name == "FULLY_CONNECTED"]:
            old = c.build.tensors[tensor]
            u, s, v = np.linalg.svd(np.asarray(old.array), full_matrices=False)
            low = (u[:, :rank] * s[:rank]) @ v[:rank]
            c.build.tensors[tensor] = c.build.tensors[c.build.constant(old.name, low.astype(np.float32))]
    return c.end(y)


CONVOLUTIONS = {
    "strides": {"stride_h": 2, "stride_w": 1},
    "strides of three": {"stride_h": 2, "stride_w": 3},
    "dilation": {"dilation_h_factor": 2, "dilation_w_factor": 2},
    "no padding": {"padding": "VALID"},
}


@pytest.mark.parametrize("form", ["svd", "spatial", "tucker"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_all_the_rank_gives_the_same_outputs(form: str, name: str) -> None:
    options: dict[str, Any] = {
        "padding": "SAME", "dilation_h_factor": 1, "dilation_w_factor": 1, "fused_activation_function": "RELU",
        **CONVOLUTIONS[name],
    }  # fmt: skip
    c = Chain(1, size=9, channels=5)
    valid = options["padding"] == "VALID"
    size = [(9 - 2 if valid else -(-9 // options.get(f"stride_{axis}", 1))) for axis in "hw"]
    y = c.build.tensor("y", (1, *size, 6))
    c.build.op("CONV_2D", [c.x, c.weights(6, 3, 3, 5), c.bias(6)], [y], **options)
    network = c.end(y)
    (site,) = layers_of(network)
    ranks = {"svd": (6,), "spatial": (15,), "tucker": (5, 6)}[form]
    x = np.random.default_rng(0).normal(size=(2, 9, 9, 5)).astype(np.float32)

    split = factor(form, four_axes(network, site), ranks, Moments.unknown(45))
    after = insert(network, {site.weights: (site, split)})

    assert split.error < 1e-9
    assert [site.key for site in sites_of(after)][-1] == "y"
    np.testing.assert_allclose(run(read(write(after)), x)[0], run(network, x)[0], atol=2e-5)


@pytest.mark.parametrize("form", ["svd", "spatial", "tucker"])
def test_samples_make_the_error_on_such_samples_smaller(form: str) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(12, 3, 3, 8))
    rows = random.normal(size=(4000, 72)) @ np.diag(0.9 ** np.arange(72)) @ random.normal(size=(72, 72))
    seen, moments = rows[:2000], Moments.of(rows[:2000])
    ranks = {"svd": (4,), "spatial": (8,), "tucker": (4, 6)}[form]

    split = {key: factor(form, weights, ranks, m) for key, m in (("seen", moments), ("blind", Moments.unknown(72)))}

    fresh = rows[2000:] - seen.mean(axis=0)
    lost = {
        key: np.square(fresh @ (weights - merged(form, one.parts)).reshape(12, -1).T).mean()
        for key, one in split.items()
    }
    assert lost["seen"] < 0.8 * lost["blind"]
    # The error that the covariance tells is that on samples of its kind; 2000 of 72 dimensions give it to a tenth.
    total = np.square(fresh @ weights.reshape(12, -1).T).mean()
    assert split["seen"].error == pytest.approx(lost["seen"] / total, rel=0.1)


def test_layers_of_low_rank_are_found_and_lose_nothing() -> None:
    network = _autoencoder(rank=4)
    x = np.random.default_rng(1).normal(size=(8, 4, 4, 3)).astype(np.float32)

    after = LowRank(energy=0.999, epochs=0).run(Subject(network=network), _context()).network

    assert sum(op.name == "FULLY_CONNECTED" for op in after.main.operators) == 6
    assert count(after, "parameters") < 0.3 * count(network, "parameters")
    np.testing.assert_allclose(run(after, x)[0], run(network, x)[0], atol=1e-4)


BUDGETS = {
    "half the parameters": ({}, "parameters", 0.5),
    "work": ({"macs": 0.6}, "macs", 0.6),
    "bytes": ({"flash": 0.5}, "bytes", 0.5),
}


@pytest.mark.parametrize("name", BUDGETS)
def test_a_budget_is_kept(name: str) -> None:
    options, measure, share = BUDGETS[name]
    c = Chain(2)
    network = c.end(c.dense(c.dense(c.conv(c.conv(c.x, 24), 32), 40, "RELU"), 5))
    before = Subject(network=network)
    one = LowRank(epochs=0, **options)  # type: ignore[arg-type]

    after = one.run(before, _context())

    assert 0.5 * share * count(network, measure) <= count(after.network, measure) <= share * count(network, measure)
    assert one.ensures(before, after) == ()
    old, new = ({site.key for site in sites_of(net)} for net in (network, after.network))
    assert old < new
    assert all("/low_rank" in key for key in new - old)
    assert run(after.network, np.ones((1, 6, 6, 3), np.float32))[0].shape == (1, 5)


def test_the_budget_goes_where_it_hurts_least() -> None:
    def several(loss: float) -> list[Split]:
        return [Split(factors=None, cost=10, loss=0.0), Split(factors=None, cost=5, loss=loss)]

    assert allocate([several(3.0), several(1.0), several(2.0)], budget=21, fixed=0) == (0, 1, 1)


def test_a_layer_used_twice_shares_its_parts() -> None:
    c = Chain(4)
    shared, bias = c.weights(32, 3, 3, 32), c.bias(32)
    x = c.conv(c.x, 32)
    for name in ("first", "second"):
        y = c.build.tensor(name, (1, 6, 6, 32))
        x = c.build.op("CONV_2D", [x, shared, bias], [y], padding="SAME")
    network = c.end(c.dense(c.mean(x), 5))

    after = LowRank(ratio=0.25, epochs=0, form="svd").run(Subject(network=network), _context()).network

    made = {after.main.tensors[op.outputs[0]].name: op.inputs[1] for op in after.main.operators if len(op.inputs) > 1}
    assert made["first/low_rank"] == made["second/low_rank"]
    assert made["first"] == made["second"]


def test_depthwise_and_small_layers_stay_and_nothing_to_split_is_ec333() -> None:
    c = Chain(0)
    network = c.end(c.dense(c.mean(c.depthwise(c.conv(c.x, 4, 1), 2)), 5))

    with pytest.raises(RejectedError) as caught:
        LowRank(ratio=0.9, epochs=0).run(Subject(network=network), _context())

    assert caught.value.diagnostics[0].code == "EC333"


def test_a_budget_out_of_reach_is_ec334_with_the_least() -> None:
    with pytest.raises(RejectedError) as caught:
        LowRank(parameters=0.02, epochs=0).run(Subject(network=_autoencoder()), _context())

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "EC334"
    assert "at the least" in diagnostic.notes[0]


def test_two_goals_are_ec332() -> None:
    with pytest.raises(BadInputError) as caught:
        LowRank(energy=0.9, parameters=0.5).run(Subject(network=_autoencoder()), _context())

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "EC332"
    assert "found: parameters, energy" in diagnostic.notes[0]


@pytest.mark.parametrize("options", [{"ratio": 1.5}, {"energy": 0.0}, {"form": "cp"}, {"multiple_of": 0}])
def test_ranks_out_of_range_are_refused_before_anything_runs(options: dict[str, object]) -> None:
    found = check_options(passes()["low_rank"], Step(name="low_rank", options=options), "r", "step 1")

    assert [diagnostic.code for diagnostic in found] == ["EC125"]


@pytest.mark.tensorflow
def test_samples_bring_the_outputs_nearer_than_weights_alone() -> None:
    network = _autoencoder(3)
    random = np.random.default_rng(0)
    x = (random.normal(size=(300, 10)) @ random.normal(size=(10, 48))).reshape(300, 4, 4, 3).astype(np.float32)

    after = {
        key: LowRank(epochs=0, parameters=0.6).run(Subject(network=network), _context(given)).network
        for key, given in (("seen", x[:200]), ("blind", None))
    }

    wanted = run(network, x[200:])[0]
    errors = {key: np.square(run(one, x[200:])[0] - wanted).mean() for key, one in after.items()}
    assert errors["seen"] < 0.5 * errors["blind"]
