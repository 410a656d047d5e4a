"""What a simulation refuses, and how it says so."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.rewrite import replace_subgraph, replace_tensor

pytestmark = pytest.mark.tensorflow


def _dense() -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 4))
    w = build.constant("w", np.eye(4, dtype=np.float32))
    build.output(build.op("FULLY_CONNECTED", [x, w, -1], [build.tensor("y", (1, 4))]))
    return build.build()


def test_an_operator_without_simulation_is_refused_by_name() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4))
    build.output(build.op("CUSTOM", [x], [build.tensor("y", (1, 4))], custom_code="Scramble"))

    with pytest.raises(RejectedError) as caught:
        Simulation(build.build())

    assert caught.value.diagnostics[0].code == "EC350"
    assert "Scramble" in caught.value.diagnostics[0].message


def test_samples_of_another_shape_are_refused() -> None:
    simulation = Simulation(_dense())

    with pytest.raises(BadInputError, match="EC351"):
        simulation([np.zeros((2, 5), np.float32)])


def test_weights_without_their_zeros_are_refused() -> None:
    network = _dense()
    raw = SimpleNamespace(sparsity=object())
    weights = replace(network.main.tensors[1], raw=raw)
    sparse = replace_subgraph(network, replace_tensor(network.main, 1, weights))

    with pytest.raises(RejectedError, match="EC352"):
        Simulation(sparse)


def test_another_number_of_inputs_is_refused() -> None:
    simulation = Simulation(_dense())

    with pytest.raises(BadInputError, match="EC351"):
        simulation([])
