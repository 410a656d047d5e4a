"""The pass prune_channels: goals are met, numbers of channels are even, and what cannot go is told."""

from __future__ import annotations

import numpy as np
import pytest
from structure_networks import Chain, run

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.contract import passes
from edgecompile.compress.option import check_options
from edgecompile.compress.passes.prune_channels import PruneChannels
from edgecompile.compress.structure.counts import count
from edgecompile.compress.structure.groups import group
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.structure.rows import rows_of
from edgecompile.compress.subject import Distillation, Held, Subject
from edgecompile.core.errors import RejectedError
from edgecompile.core.recipe import Step
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write


def _unused(network: Network) -> Network:
    raise AssertionError("no pass on floats quantizes")


def _context(x: np.ndarray | None = None) -> Context:  # type: ignore[type-arg]
    return Context(quantize=_unused, calibration=Samples(x=(x,)) if x is not None else None)


def _network(seed: int = 0) -> Network:
    c = Chain(seed)
    x = c.conv(c.x, 16)
    y = c.conv(c.conv(x, 24), 16, act="NONE")
    z = c.op("ADD", [x, y], (1, 6, 6, 16), fused_activation_function="RELU")
    return c.end(c.dense(c.mean(c.conv(c.depthwise(z, 2), 20, 1)), 5))


GOALS = {
    "half the work": ({"macs": 0.5}, "macs", 0.5),
    "a third of the parameters": ({"parameters": 0.33}, "parameters", 0.33),
    "bytes of int8": ({"flash": 3000}, "bytes", 3000),
    "no goal is half the work": ({}, "macs", 0.5),
}


@pytest.mark.parametrize("name", GOALS)
def test_the_goal_is_met_and_channels_stay_multiples(name: str) -> None:
    options, measure, goal = GOALS[name]
    before = Subject(network=_network())
    context = _context()
    one = PruneChannels(epochs=0, **options)  # type: ignore[arg-type]

    after = one.run(before, context)

    full = count(own_constants(before.network), measure) if goal < 1 else 1
    assert 0.7 * goal * full <= count(after.network, measure) <= goal * full
    assert one.ensures(before, after) == ()
    widths = [op.outputs[0] for op in after.network.main.operators if "CONV" in op.name]
    assert all(after.network.main.tensors[index].shape[3] % 4 == 0 for index in widths)
    assert [diagnostic.code for diagnostic in context.diagnostics] == ["EC335"]
    assert run(after.network, np.ones((1, 6, 6, 3), np.float32))[0].shape == (1, 5)


def test_a_share_of_the_channels_is_kept() -> None:
    network = _network()

    after = PruneChannels(epochs=0, channels=0.5, multiple_of=1).run(Subject(network=network), _context())

    channels = [sum(len(one.channels) for one in group(own_constants(net)).groups) for net in (network, after.network)]
    assert channels[1] == channels[0] // 2


def test_the_smaller_network_is_a_file_like_any_other() -> None:
    after = PruneChannels(epochs=0).run(Subject(network=_network()), _context()).network

    again = read(write(after))

    assert [tensor.shape for tensor in again.main.tensors] == [tensor.shape for tensor in after.main.tensors]
    assert again.main.tensors[0].name == "x"


def test_channels_that_do_nothing_go_first() -> None:
    c = Chain(3)
    x = c.conv(c.x, 16)
    network = c.end(c.dense(c.mean(c.conv(x, 16)), 5))
    dead = {1, 2, 5, 7, 8, 11, 13, 14}
    main = network.main
    for operator, axis in ((main.operators[0], 0), (main.operators[1], 3)):
        weights = np.moveaxis(np.array(main.tensors[operator.inputs[1]].array), axis, 0)
        weights[sorted(dead)] *= 1e-3
        c.build.tensors[operator.inputs[1]] = c.build.tensors[
            c.build.constant("changed", np.moveaxis(weights, 0, axis))
        ]
    network = c.build.build()
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype(np.float32)

    after = PruneChannels(epochs=0, channels=24 / 32, importance="magnitude", multiple_of=1).run(
        Subject(network=network), _context()
    )

    assert after.network.main.tensors[after.network.main.operators[0].outputs[0]].shape[3] == 8
    assert np.abs(run(after.network, x)[0] - run(network, x)[0]).max() < 0.05


def test_layers_that_are_used_twice_and_constants_that_are_shared_by_chance_are_told_apart() -> None:
    c = Chain(5)
    zeros = c.build.constant("zeros", np.zeros(8, np.float32))
    shared = c.weights(8, 3, 3, 8)
    values = [c.conv(c.x, 8)]
    for _ in range(2):
        y = c.build.tensor(c.name("twice"), (1, 6, 6, 8))
        values.append(c.build.op("CONV_2D", [values[-1], shared, zeros], [y], padding="SAME"))
    y = c.build.tensor("other", (1, 6, 6, 8))
    c.build.op("CONV_2D", [values[-1], c.weights(8, 3, 3, 8), zeros], [y], padding="SAME")

    main = own_constants(c.end(c.dense(c.mean(y), 5))).main

    biases = [operator.inputs[2] for operator in main.operators if operator.name == "CONV_2D"]
    assert biases[1] == biases[2] != biases[3]
    assert main.tensors[biases[1]].buffer is not main.tensors[biases[3]].buffer
    assert len({tensor.name for tensor in main.tensors}) == len(main.tensors)


def test_nothing_to_take_out_is_ec330_and_says_why() -> None:
    c = Chain(0)
    network = c.end(c.dense(c.mean(c.x), 5))

    with pytest.raises(RejectedError) as caught:
        PruneChannels(epochs=0).run(Subject(network=network), _context())

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "EC330"
    assert "it is an output of the network" in diagnostic.notes[0]


def test_an_operator_that_is_not_understood_keeps_its_channels() -> None:
    c = Chain(0)
    x = c.conv(c.x, 8)
    y = c.op("REVERSE_V2", [x, c.integers(3)], (1, 6, 6, 8))

    found = group(own_constants(c.end(c.dense(c.mean(c.conv(y, 8)), 5))))

    assert found.frozen["conv1"] == "`REVERSE_V2` reads or makes it, and it is not understood"
    assert len(found.groups) == 1


def test_more_than_can_go_is_ec331_with_the_least() -> None:
    with pytest.raises(RejectedError) as caught:
        PruneChannels(epochs=0, macs=0.001, least=8).run(Subject(network=_network()), _context())

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "EC331"
    assert "at the least" in diagnostic.notes[0]


@pytest.mark.parametrize("options", [{"macs": 1.0}, {"macs": 0.0}, {"multiple_of": 0}, {"importance": "luck"}])
def test_options_out_of_range_are_refused_before_anything_runs(options: dict[str, object]) -> None:
    found = check_options(passes()["prune_channels"], Step(name="prune_channels", options=options), "r", "step 1")

    assert [diagnostic.code for diagnostic in found] == ["EC125"]


def test_promises_of_layers_that_changed_are_void() -> None:
    network = _network()
    held = {"conv1": Held(zeros=np.zeros((16, 3, 3, 3), bool))}

    after = PruneChannels(epochs=0, macs=0.3).run(Subject(network=network, held=held), _context())

    assert after.held == {}


def test_rows_times_weights_are_the_convolution() -> None:
    c = Chain(7, size=7)
    w = c.weights(5, 3, 2, 3)
    y = c.build.tensor("y", (1, 4, 3, 5))
    zero = c.build.constant("zero", np.zeros(5, np.float32))
    c.build.op(
        "CONV_2D", [c.x, w, zero], [y], padding="SAME", stride_h=2, stride_w=3,
        dilation_h_factor=1, dilation_w_factor=1,
    )  # fmt: skip
    network = c.end(y)
    x = np.random.default_rng(0).normal(size=(2, 7, 7, 3)).astype(np.float32)
    weights = np.asarray(network.main.tensors[w].array)

    rows = rows_of(x, network.main.operators[0], weights.shape, limit=1000)

    expected = run(network, x)[0].reshape(-1, 5)
    np.testing.assert_allclose(rows @ weights.reshape(5, -1).T, expected, atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("importance", [pytest.param("outputs", marks=pytest.mark.slow), "magnitude"])
def test_fitting_to_samples_brings_outputs_nearer(importance: str) -> None:
    network = _network()
    random = np.random.default_rng(0)
    x, fresh = (random.normal(size=(n, 6, 6, 3)).astype(np.float32) for n in (200, 50))
    subject = Subject(network=network)

    off = {
        fitted: PruneChannels(epochs=0, macs=0.6, importance=importance, reconstruct=fitted).run(subject, _context(x))
        for fitted in (True, False)
    }

    wanted = run(network, fresh)[0]
    errors = {fitted: np.square(run(one.network, fresh)[0] - wanted).mean() for fitted, one in off.items()}
    assert errors[True] < 0.5 * errors[False]


@pytest.mark.tensorflow
def test_training_follows_and_keeps_the_shapes() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 6, 6, 3)).astype(np.float32)
    network = _network()
    subject = Subject(network=network, teacher=network)

    after = PruneChannels(epochs=1, macs=0.5).run(subject, _context(x))

    assert count(after.network, "macs") <= 0.5 * count(network, "macs")
    assert np.isfinite(run(after.network, x[:2])[0]).all()


LESSONS = {
    "of its own": (Distillation(), Distillation(teacher_weight=1.0, temperature=4.0)),
    "of a step before": (Distillation(teacher_weight=0.3), Distillation(teacher_weight=0.3)),
}


@pytest.mark.parametrize("case", LESSONS)
def test_training_learns_from_the_network_before_unless_a_step_said_otherwise(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, expected = LESSONS[case]
    seen: list[Distillation] = []
    monkeypatch.setattr(
        "edgecompile.compress.training.trainer.train",
        lambda subject, how, context: seen.append(subject.distillation) or subject,
    )
    subject = Subject(network=_network(), teacher=_network(), distillation=given)

    after = PruneChannels().run(subject, _context())

    assert seen == [expected]
    assert after.distillation == given


def test_no_layer_loses_more_than_its_share() -> None:
    after = PruneChannels(epochs=0, macs=0.45, least=1, least_share=0.5, multiple_of=1).run(
        Subject(network=_network()), _context()
    )

    pairs = zip(_widths(_network()), _widths(after.network), strict=True)
    assert all(left >= full / 2 for full, left in pairs)


def _widths(network: Network) -> list[int]:
    main = network.main
    return [main.tensors[op.outputs[0]].shape[3] for op in main.operators if op.name == "CONV_2D"]
