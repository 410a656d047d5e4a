"""Constant and unused channels go, and every bit of the outputs stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from channel_networks import (
    FOLDED,
    IN,
    LEFT,
    OTHER_KINDS,
    REFUSED,
    ROUNDED,
    Chain,
    changed,
    dense,
    start,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optimize_check import outer, rewritten, same_answers, untouched
from optimize_judge import MICRO, Judge
from optimize_networks import labels

from edgecompile.ir.costs import totals
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.optimize import fold_channels
from edgecompile.optimize.apply import apply


@pytest.mark.parametrize(("network", "left"), FOLDED.values(), ids=FOLDED.keys())
def test_channels_are_removed(judge: Judge, network: Network, left: int) -> None:
    after = rewritten(judge, fold_channels, network, labels(network))

    main = after.main
    assert main.tensors[main.operators[0].outputs[0]].shape[-1] == left
    assert totals(after).macs < totals(network).macs
    assert fold_channels.run(after) == (after, [])


def test_mean_keeps_channels_apart(judge: Judge) -> None:
    chain = start().conv(LEFT)
    axes = chain.net.constant([1, 2])
    network = dense(chain.op("MEAN", (1, LEFT), axes, keep_dims=False)).silence(0, [1, 3], 9000).done()

    after = rewritten(judge, fold_channels, network, labels(network))

    assert after.main.tensors[after.main.operators[0].outputs[0]].shape == (1, 6, 6, 3)


def test_scales_go_with_their_channels() -> None:
    network = FOLDED["a scale for each channel"][0]
    scales = [0.01, 0.012, 0.014]

    after, _ = fold_channels.run(network)

    first, between, last = after.main.operators
    for operator, axis in ((first, 0), (between, 3)):
        weights, bias = (after.main.tensors[index].quantization for index in operator.inputs[1:])
        assert weights is not None and bias is not None
        assert weights.scales == pytest.approx(scales) and weights.axis == axis
        assert weights.zero_points == bias.zero_points == (0, 0, 0) and len(bias.scales) == 3
    whole = after.main.tensors[last.inputs[1]]
    assert whole.quantization is not None and len(whole.quantization.scales) == 4 and whole.shape == (4, 1, 1, 3)


def test_a_constant_goes_into_the_bias() -> None:
    network = FOLDED["1x1 behind, another constant"][0]
    before, weights = (network.main.tensors[network.main.operators[1].inputs[i]].array for i in (2, 1))
    assert before is not None and weights is not None
    # 9000 · (0.1 · 0.02 / 0.1) = 180, less 128; the input's zero point is -128
    difference = 52 + 128

    after, words = fold_channels.run(network)

    bias = after.main.tensors[after.main.operators[1].inputs[2]].array
    np.testing.assert_array_equal(bias, before + difference * weights[:, 0, 0, [1, 3]].astype(np.int64).sum(axis=1))
    assert words == ["CONV_2D channel", "CONV_2D channel"]


def test_one_layer_uncovers_the_next(judge: Judge) -> None:
    """Where all inputs with weights are constant, the output is; where an output goes, so do inputs it alone had."""
    chain = start().conv(LEFT).conv(4).conv(3).silence(0, [0, 1, 2], 300)
    chain.silence(1, [3, 4], axis=3).silence(2, [0], axis=3)

    network = chain.done()

    after = rewritten(judge, fold_channels, network, labels(network))
    shapes = [after.main.tensors[operator.outputs[0]].shape[-1] for operator in after.main.operators]
    assert shapes == [1, 1, 3]


@pytest.mark.parametrize("network", REFUSED.values(), ids=REFUSED.keys())
def test_channels_stay_when(judge: Judge, network: Network) -> None:
    untouched(judge, fold_channels, network)


@pytest.mark.parametrize(("network", "folded"), ROUNDED.values(), ids=ROUNDED.keys())
def test_a_value_that_runtimes_round_differently_is_not_known(network: Network, folded: int) -> None:
    assert len(fold_channels.run(network)[1]) == folded


def test_constants_that_others_read_stay_theirs(judge: Judge) -> None:
    """Two layers with the same weights and biases, behind one with a constant channel and one without."""
    first = start().conv(LEFT)
    net, source = first.net, first.source
    second = Chain(net, source, source).conv(LEFT)
    first.silence(0, [1], 9000)
    net.replace_constant(net.operators[1].inputs[1], np.arange(1, 1 + LEFT * IN).reshape(LEFT, 1, 1, IN))
    one, other = first.conv(4), second.conv(4)
    net.operators[3] = replace(net.operators[3], inputs=(second.at, *net.operators[2].inputs[1:]))
    network = one.done(other.at)

    after = rewritten(judge, fold_channels, network, labels(network))

    assert [after.main.tensors[o.inputs[1]].shape[-1] for o in after.main.operators[2:]] == [4, 5]


@pytest.mark.parametrize("network", OTHER_KINDS.values(), ids=OTHER_KINDS.keys())
def test_layers_of_other_kinds_are_left_alone(network: Network) -> None:
    assert fold_channels.run(network) == (network, [])


def test_an_unknown_batch_is_no_obstacle() -> None:
    after, words = fold_channels.run(changed(0, shape_signature=(-1, 6, 6, LEFT)))

    assert words == ["CONV_2D channel"]
    assert after.main.tensors[after.main.operators[0].outputs[0]].shape_signature == (-1, 6, 6, LEFT - 1)


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_silent_channels_change_no_bit(judge: Judge, data: st.DataObject) -> None:
    def some(count: int) -> list[int]:
        return sorted(data.draw(st.sets(st.integers(0, count - 1))))

    zero, bias = st.sampled_from([-128, 0, 17]), st.integers(-30000, 30000)
    options = st.fixed_dictionaries(
        {"padding": st.sampled_from(["SAME", "VALID"]), "fused_activation_function": st.sampled_from(["NONE", "RELU"])}
    )
    size = st.sampled_from([1, 3])
    chain = start().conv(6, data.draw(size), data.draw(zero), **data.draw(options))
    chain = chain.conv(6, 3, data.draw(zero), "DEPTHWISE_CONV_2D", **{**data.draw(options), "padding": "SAME"})
    chain = chain.conv(5, data.draw(size), data.draw(zero), **{**data.draw(options), "padding": "SAME"})
    chain = chain.conv(4, data.draw(size), data.draw(zero), **{**data.draw(options), "padding": "SAME"})
    for operator, axis, count in ((0, 0, 6), (1, 3, 6), (2, 0, 5), (3, 3, 5)):
        chain.silence(operator, some(count), data.draw(bias), axis)
    network = chain.done()

    after, words = fold_channels.run(network)

    assert (after is network) == (not words) and outer(after) == outer(network)
    same_answers(judge, network, after)


@pytest.mark.data
@pytest.mark.micro
def test_vww_keeps_a_seventh_of_its_weights_and_half_of_its_products(data: Path, judge: Judge) -> None:
    from edgecompile.ir.reader import read_file

    network = read_file(data / "cortexm" / "vww_96_int8.tflite")

    after = apply(network).network

    assert (_weights(network), _weights(after)) == (208_112, 29_286)
    assert (totals(network).macs, totals(after).macs) == (7_489_664, 3_733_073)
    same_answers(judge, network, after)
    assert judge.compare(write(network), write(after), MICRO) == "equal"


@pytest.mark.micro
def test_micro_agrees_on_hand_made_networks(judge: Judge) -> None:
    verdicts = {
        name: judge.compare(write(network), write(fold_channels.run(network)[0]), MICRO)
        for name, (network, _) in FOLDED.items()
    }

    assert verdicts == dict.fromkeys(FOLDED, "equal")


def _weights(network: Network) -> int:
    """Bytes of the weights of all sums, biases left out."""
    sums = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    main = network.main
    return sum(main.tensors[operator.inputs[1]].size_bytes for operator in main.operators if operator.name in sums)
