"""Activations replaced in float networks: what becomes of the operators, of names, and of what is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from training_networks import context, samples

from edgecompile.compress.context import Samples
from edgecompile.compress.passes.substitute import Substitute
from edgecompile.compress.sites import sites_of, weights_of
from edgecompile.compress.structure.activations import activations_of, substituted
from edgecompile.compress.subject import Held, Subject
from edgecompile.core.errors import RejectedError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network


def _network(kind: str, *, gate: bool = False) -> Network:
    """``float32[1, 8]``, a dense layer, the activation, a dense layer; with ``gate`` a LOGISTIC that multiplies."""
    draw = np.random.default_rng(0)
    build = NetworkBuilder()
    x = build.input("in", (1, 8))
    w1 = build.constant("w1", draw.normal(size=(16, 8)).astype(np.float32))
    b1 = build.constant("b1", np.zeros(16, np.float32))
    y = build.op("FULLY_CONNECTED", [x, w1, b1], [build.tensor("m/first/BiasAdd", (1, 16))])
    made = build.tensor("m/act/mul", (1, 16))
    if kind == "SWISH":
        sigmoid = build.op("LOGISTIC", [y], [build.tensor("m/act/Sigmoid", (1, 16))])
        y = build.op("MUL", [y, sigmoid], [made])
    elif kind == "PRELU":
        y = build.op("PRELU", [y, build.constant("alpha", np.full(16, 0.1, np.float32))], [made])
    elif kind:
        y = build.op(kind, [y], [made])
    if gate:
        sigmoid = build.op("LOGISTIC", [y], [build.tensor("m/gate/Sigmoid", (1, 16))])
        other = build.op("TANH", [y], [build.tensor("m/other/Tanh", (1, 16))])
        y = build.op("MUL", [other, sigmoid], [build.tensor("m/gated/mul", (1, 16))])
    w2 = build.constant("w2", draw.normal(size=(3, 16)).astype(np.float32))
    b2 = build.constant("b2", np.zeros(3, np.float32))
    y = build.op("FULLY_CONNECTED", [y, w2, b2], [build.tensor("m/last/BiasAdd", (1, 3))])
    return build.output(build.op("SOFTMAX", [y], [build.tensor("out", (1, 3))])).build()


def _names(network: Network) -> list[str]:
    return [operator.name for operator in network.main.operators]


@pytest.mark.parametrize("kind", ["SWISH", "GELU", "ELU", "TANH", "LEAKY_RELU", "PRELU", "HARD_SWISH", "RELU6"])
def test_relu_is_fused_into_the_layer_whose_activation_it_replaces(kind: str) -> None:
    before = _network(kind)

    after = substituted(before, activations_of(before.main), "RELU")

    assert _names(after) == ["FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]
    assert after.main.operators[0].options["fused_activation_function"] == "RELU"
    assert [site.key for site in sites_of(after)] == [site.key for site in sites_of(before)]


def test_hard_swish_is_an_operator_of_its_own() -> None:
    before = _network("SWISH")

    after = substituted(before, activations_of(before.main), "HARD_SWISH")

    assert _names(after) == ["FULLY_CONNECTED", "HARD_SWISH", "FULLY_CONNECTED", "SOFTMAX"]


def test_gates_and_outputs_are_left_alone() -> None:
    network = _network("GELU", gate=True)
    main = network.main
    outputs = replace(main, outputs=(main.operators[1].outputs[0],))

    assert [one.kind for one in activations_of(main)] == ["GELU", "TANH"]
    assert [one.kind for one in activations_of(outputs)] == ["TANH"]


@pytest.mark.parametrize("options", [{}, {"only": ("GELU",)}], ids=["relu only", "another kind"])
def test_a_network_without_such_activations_is_refused(options: dict[str, Any]) -> None:
    kind = "SWISH" if options else ""

    with pytest.raises(RejectedError) as caught:
        Substitute(**options).run(Subject(network=_network(kind)), context(train=None))

    assert caught.value.diagnostics[0].code == "EC354"
    assert ("1 SWISH" if options else "none") in caught.value.diagnostics[0].notes[1]


def test_what_was_replaced_is_told() -> None:
    given = context(train=None)

    Substitute(to="RELU6").run(Subject(network=_network("SWISH")), given)

    (told,) = given.diagnostics
    assert (told.code, told.message) == ("EC353", "`substitute` put RELU6 in the place of 1 SWISH")


@pytest.mark.tensorflow
def test_training_learns_from_the_network_as_it_was_and_keeps_zeros() -> None:
    network = _network("TANH")
    key = sites_of(network)[0].key
    weights = weights_of(network, sites_of(network)[0])
    zeros = np.abs(weights) < np.median(np.abs(weights))
    from edgecompile.compress.sites import with_constants

    network = with_constants(network, {sites_of(network)[0].weights: np.where(zeros, 0, weights)})
    subject = Subject(network=network, held={key: Held(zeros=zeros)}, teacher=network)
    given = context(train=Samples(x=samples(128).x), validation=None, score=None)
    step = Substitute(epochs=3, batch_size=32, normalize=False)

    after = step.run(subject, given)

    assert step.ensures(subject, after) == ()
    from edgecompile.compress.simulate.run import run

    x = samples(64, seed=5).x
    wanted = run(network, x)[0][0]
    untrained = run(substituted(network, activations_of(network.main), "RELU"), x)[0][0]
    trained = run(after.network, x)[0][0]
    assert np.square(trained - wanted).mean() < np.square(untrained - wanted).mean()
