"""Every profile that comes with edgecompile: clean, sourced, and true to what the facts say."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from edgecompile.config.profile_files import shipped
from edgecompile.config.profiles import check, load, names
from edgecompile.core.recipe import NUMERICS

CHECKOUT = Path(__file__).resolve().parents[2]
GENERIC = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
PROMISED = (
    "coral",
    *GENERIC,
    "qemu-m4",
    "qemu-m7",
    "qemu-m55",
    "arduino-nano33ble",
    "nucleo-f446re",
    "nucleo-l4r5zi",
    "stm32h747i-disco",
    "stm32f769i-disco",
    "nrf52840-dk",
    "rpi-pico",
    "android-nnapi",
    *(f"android-nnapi-{level}" for level in range(27, 32)),
)


def test_the_promised_targets_are_there() -> None:
    assert set(PROMISED) <= set(names())


def test_there_are_ten_real_boards_of_cortex_m() -> None:
    boards = [target for target in map(load, names()) if target.family == "cortex-m" and "clock_hz" in target.board]

    assert len([target for target in boards if not target.board.get("emulated")]) >= 10


@pytest.mark.parametrize("name", names())
def test_a_profile_is_clean_and_loads(name: str) -> None:
    assert check(shipped() / f"{name}.toml") == ()
    target = load(name)
    assert set(target.numerics) <= set(NUMERICS)
    assert target.id == name


@pytest.mark.parametrize("name", names())
def test_every_number_of_a_profile_cites_a_document(name: str) -> None:
    target = load(name)

    sources = [clause.source for clauses in target.operators.values() for clause in clauses]
    sources += [region.source for region in target.regions]
    sources += [target.runtime.source] if target.runtime else []
    assert all(len(source) > 10 for source in sources)


@pytest.mark.parametrize("name", names())
def test_the_memories_of_a_board_do_not_overlap(name: str) -> None:
    regions = sorted(load(name).regions, key=lambda region: region.start or 0)

    for one, two in itertools.pairwise(regions):
        assert (one.start or 0) + one.size_bytes <= (two.start or 0)


@pytest.mark.parametrize("name", GENERIC)
def test_a_core_without_a_board_has_no_memory_of_its_own(name: str) -> None:
    target = load(name)

    assert target.regions == ()
    assert target.capacity_bytes("flash") is None
    assert target.runtime is not None
    assert target.runtime.flash_bytes > 0


@pytest.mark.parametrize(
    ("name", "flash", "ram"),
    [
        ("nucleo-f446re", 512 * 1024, 128 * 1024),
        ("nucleo-l4r5zi", 2048 * 1024, 640 * 1024),
        ("stm32f769i-disco", 2048 * 1024, 512 * 1024),
        ("arduino-nano33ble", 983040, 256 * 1024),
        ("rpi-pico", 2048 * 1024, 264 * 1024),
    ],
)
def test_memories_are_those_of_the_data_sheet(name: str, flash: int, ram: int) -> None:
    target = load(name)

    assert (target.capacity_bytes("flash"), target.capacity_bytes("ram")) == (flash, ram)


@pytest.mark.parametrize("level", range(27, 32))
def test_android_levels_are_data(level: int) -> None:
    assert load(f"android-nnapi-{level}").level == level


def test_scales_per_tensor_are_asked_for_where_the_runtime_needs_them() -> None:
    assert {name: load(name).per_tensor_dense for name in ("coral", "android-nnapi", "cortex-m4")} == {
        "coral": True,
        "android-nnapi": True,
        "cortex-m4": False,
    }


def test_no_target_is_named_in_the_package() -> None:
    code = {path: path.read_text(encoding="utf-8") for path in (CHECKOUT / "edgecompile").rglob("*.py")}
    boards = [name for name in names() if load(name).board.get("mcu") or load(name).board.get("emulated")]

    # Cores and families are words of the field and may stand in examples; boards may not.
    named = {(name, str(path)) for path, text in code.items() for name in boards if re.search(rf"\b{name}\b", text)}

    assert named == set()
