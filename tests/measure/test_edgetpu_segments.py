"""Where a network is cut for several devices: the slowest segment is as fast as it can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from edgetpu_networks import chain, device

from edgecompile.config.profiles import load
from edgecompile.core.errors import BadInputError
from edgecompile.measure.edgetpu.segments import _Cost, balance
from edgecompile.measure.prediction import cut, predict

LINK = device().links["usb3"]
SIZES = [64, 900, 100, 700, 2000, 2000, 300, 1500, 10]


def slowest(cost: _Cost, cuts: Sequence[int], total: int) -> float:
    return max(cost.of(start, stop) for start, stop in pairwise([0, *cuts, total]))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_no_other_cuts_make_the_slowest_segment_faster(count: int) -> None:
    main = chain(SIZES).main
    total = len(main.operators)
    tight = replace(device(), memory=replace(device().memory, cache_bytes=2_000_000))
    cost = _Cost(main, set(range(total)), tight, LINK)

    cuts = balance(main, range(total), count, tight, LINK)

    every = [slowest(cost, one, total) for one in combinations(range(1, total), count - 1)]
    assert len(cuts) == count - 1
    assert slowest(cost, cuts, total) == pytest.approx(min(every), rel=1e-12)  # sums in another order


def test_two_devices_hold_what_one_streams() -> None:
    network = chain([64, 2020, 2020, 2020, 2020, 10])
    operators = range(5)

    (position,) = cut(network, operators, 2, load("coral"))

    (whole,) = predict([(network, operators)], load("coral"))
    assert next(m.value for m in whole.measures if m.name == "streamed_bytes")
    assert position in (2, 3)


@pytest.mark.parametrize("count, target", [(4, "coral"), (0, "coral"), (2, "cortex-m4")], ids=str)
def test_segments_that_cannot_be_had_are_told(count: int, target: str) -> None:
    with pytest.raises(BadInputError) as raised:
        cut(chain([4, 4, 4, 4]), range(3), count, load(target))

    assert raised.value.diagnostics[0].code == "EC556"
