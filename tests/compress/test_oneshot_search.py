"""The largest share of zeros within a drop: what is tried, what is kept, what is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from training_networks import context, dense

from edgecompile.compress.context import Score
from edgecompile.compress.oneshot import search
from edgecompile.compress.passes.prune import Prune
from edgecompile.compress.simulate.run import run
from edgecompile.compress.sites import sites_of, weights_of
from edgecompile.compress.subject import Subject
from edgecompile.core.errors import BadInputError


def _known(monkeypatch: pytest.MonkeyPatch, loss: Callable[[float], float]) -> tuple[Subject, list[float]]:
    """A subject, and the shares tried; subjects with zeros score 1 less ``loss`` of their share."""
    subject, tried = Subject(network=dense()), list[float]()
    monkeypatch.setattr(search, "scored", lambda one, _: 1.0 if one is subject else 1.0 - loss(tried[-1]))
    return subject, tried


@pytest.mark.parametrize(
    ("loss", "share", "first"),
    [
        (lambda share: 0.0, 0.8, "makes 80.0 %"),
        (lambda share: 0.2 * (share > 0.5), 0.5, "makes 50.0 %"),
        (lambda share: 0.2, 0.0, "makes nothing zero"),
    ],
    ids=["all that was asked for", "up to a step", "nothing"],
)
def test_the_search_ends_at_the_largest_share_that_is_allowed(
    monkeypatch: pytest.MonkeyPatch, loss: Callable[[float], float], share: float, first: str
) -> None:
    subject, tried = _known(monkeypatch, loss)
    made: dict[int, float] = {id(subject): 0.0}

    def make(share: float) -> Subject:
        tried.append(share)
        one = Subject(network=subject.network)
        made[id(one)] = share
        keep.append(one)
        return one

    keep: list[Subject] = []
    given = context()
    found = search.most_zeros(subject, make, 0.8, 0.1, given)

    assert share - 0.8 / 32 - 1e-9 <= made[id(found)] <= share
    assert len(tried) <= 6 and max(tried) == 0.8
    assert given.diagnostics[0].code == "EC327"
    if share in (0.0, 0.8):
        assert first in given.diagnostics[0].message


def test_without_a_score_half_of_the_weights_go_at_most() -> None:
    given, asked = context(score=None), list[float]()

    def make(share: float) -> Subject:
        asked.append(share)
        return Subject(network=dense())

    search.most_zeros(Subject(network=dense()), make, 0.8, 0.1, given)

    assert asked == [0.5]
    assert given.diagnostics[0].severity.value == "warning"


@pytest.mark.parametrize("options", [{"pattern": "2:4"}, {"course": "polynomial"}], ids=str)
def test_a_share_that_is_fixed_cannot_be_looked_for(options: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match="EC323"):
        Prune(max_drop=0.1, **options).run(Subject(network=dense()), context())


@pytest.mark.tensorflow
@pytest.mark.parametrize(("allowed", "share"), [(10.0, 0.8), (0.0, 0.0)], ids=["anything goes", "nothing may move"])
def test_a_network_is_pruned_as_far_as_its_score_allows(allowed: float, share: float) -> None:
    network, some = dense(end=None), context()
    wanted = run(network, some.validation.x)[0][0]  # type: ignore[union-attr]
    nearness = Score(
        name="error", of=lambda outputs, _: float(np.square(outputs[0] - wanted).mean()), higher_is_better=False
    )
    given = replace(some, train=None, calibration=some.train, score=nearness)

    after = Prune(sparsity=0.8, max_drop=allowed).run(Subject(network=network), given)

    weights = [weights_of(after.network, site) for site in sites_of(after.network)]
    zeros = sum(int((array == 0).sum()) for array in weights) / sum(array.size for array in weights)
    assert zeros == pytest.approx(share, abs=0.02)
