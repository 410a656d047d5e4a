"""Predicted energy: latency by the power that a profile states, for boards that somebody measured."""

from __future__ import annotations

import pytest

from edgecompile.config.profiles import load, names
from edgecompile.measure.board.energy import power_of

STATED = {"active_mw": 40.0, "error": 0.2, "source": "a meter"}


def test_energy_is_power_by_time() -> None:
    power = power_of({"energy": STATED})

    assert power is not None
    # 40 mW for 25 ms are 1 mJ.
    assert power.energy_mj(25.0) == pytest.approx(1.0)


def test_the_method_says_that_it_is_predicted_how_well_and_from_what() -> None:
    power = power_of({"energy": STATED})

    assert power is not None
    assert power.method.startswith("predicted: 40 mW while it computes")
    assert "leave-one-out error 20 %" in power.method
    assert "a meter" in power.method


@pytest.mark.parametrize(
    "board",
    [pytest.param({}, id="not stated"), pytest.param({"energy": STATED, "emulated": "m4"}, id="emulated")],
)
def test_of_other_boards_nothing_is_known(board: dict[str, object]) -> None:
    assert power_of(board) is None


def test_boards_that_were_measured_state_their_power() -> None:
    stated = {name for name in names() if power_of(load(name).board) is not None}

    assert {"nucleo-l4r5zi", "nucleo-h7a3zi-q", "nucleo-u575zi-q"} <= stated
