"""The pass fill_channels: what lies beyond a full group goes, what does not pay stays, and what it saved is told."""

from __future__ import annotations

import numpy as np
import pytest
from structure_networks import Chain, run

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.contract import passes
from edgecompile.compress.passes.fill_channels import FillChannels
from edgecompile.compress.subject import Subject
from edgecompile.ir.network import Network


def _unused(network: Network) -> Network:
    raise AssertionError("no pass on floats quantizes")


def _context(x: np.ndarray | None = None) -> Context:  # type: ignore[type-arg]
    return Context(quantize=_unused, calibration=Samples(x=(x,)) if x is not None else None)


def _network(*widths: int) -> Network:
    chain = Chain(1)
    x = chain.x
    for width in widths:
        x = chain.conv(x, width, 1)
    return chain.end(chain.dense(chain.mean(x), 5))


def _widths(network: Network) -> list[int]:
    made = [op.outputs[0] for op in network.main.operators if op.name == "CONV_2D"]
    return [network.main.tensors[index].shape[3] for index in made]


@pytest.mark.parametrize(
    "before, after",
    [
        pytest.param((18, 16, 20), (16, 16, 16), id="beyond"),
        pytest.param((24, 33, 12), (24, 32, 12), id="too many to give up, one beyond two groups, within one"),
    ],
)
def test_channels_beyond_a_full_group_go_and_others_stay(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    subject, context = Subject(network=_network(*before)), _context()
    one = FillChannels(multiple_of=16, epochs=0)

    found = one.run(subject, context)

    assert _widths(found.network) == list(after)
    assert one.ensures(subject, found) == ()
    assert one.ensures(subject, subject) != ()
    assert run(found.network, np.ones((1, 6, 6, 3), np.float32))[0].shape == (1, 5)


def test_what_it_took_and_saved_is_told() -> None:
    context = _context()

    FillChannels(multiple_of=16, epochs=0).run(Subject(network=_network(18, 16)), context)

    (told,) = [one for one in context.diagnostics if one.code == "EC355"]
    # In groups of 16: 36 positions of 3 x 32 and 18 x 16, then of 3 x 16 and 16 x 16; 16 x 16 in the dense layer.
    share = 1 - (36 * (3 * 16 + 16 * 16) + 256) / (36 * (3 * 32 + 18 * 16) + 256)
    assert f"took 2 channels out: {100 * share:.1f} % less" in told.message
    assert any("18 -> 16" in note for note in told.notes)


def test_a_network_of_full_groups_stays_as_it_was() -> None:
    subject, context = Subject(network=_network(32, 16)), _context()

    found = FillChannels(multiple_of=16).run(subject, context)

    assert found is subject
    assert [one.code for one in context.diagnostics] == ["EC355"]


@pytest.mark.tensorflow
def test_fitting_the_rest_brings_outputs_nearer() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(64, 6, 6, 3)).astype(np.float32)
    subject = Subject(network=_network(18, 20))
    wanted = run(subject.network, x[:1])[0]

    def off(**options: object) -> float:
        one = FillChannels(multiple_of=16, epochs=0, **options)  # type: ignore[arg-type]
        return float(np.square(run(one.run(subject, _context(x)).network, x[:1])[0] - wanted).sum())

    assert off(reconstruct=True) < off(reconstruct=False)


def test_it_is_a_pass_of_its_name() -> None:
    assert passes()["fill_channels"] is FillChannels
