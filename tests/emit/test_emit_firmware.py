"""The firmware project as text, and as what the cross compiler makes of it for every core."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from emissions import emission

from edgecompile.config.profiles import load, names
from edgecompile.core.target import Target
from edgecompile.emit.c_names import TAKEN
from edgecompile.emit.emission import Emission, Golden, Layout
from edgecompile.emit.emit import emit
from edgecompile.emit.firmware.project import linker_script, map_of, model_header, why_no_firmware
from edgecompile.ir.build import NetworkBuilder
from edgecompile.kernels.program import compile_network

CORTEX_M = [load(name) for name in names() if load(name).family == "cortex-m"]
BOARDS = [target for target in CORTEX_M if why_no_firmware(target) is None]
ONE_OF_EACH_CORE = ["nucleo-g071rb", "nucleo-f103rb", "nucleo-f446re", "nucleo-f767zi", "nucleo-l552ze-q", "qemu-m55"]


def firmware_of(target: Target, **more: object) -> Emission:
    """A dense layer as firmware, with two golden samples."""
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.5, zero_point=-3)
    w = build.constant("w", [[1, -2, 3, 4], [5, 6, -7, 8], [0, 1, 0, 1]], "int8", scale=0.1)
    y = build.tensor("y", (1, 3), "int8", scale=0.25)
    build.op("FULLY_CONNECTED", [x, w], [y])
    network = build.output(y).build()
    base = dataclasses.replace(
        emission(),
        network=network,
        target=dataclasses.replace(target, emit=("c_library", "firmware")),
        program=compile_network(network),
        layout=Layout(arena_bytes=8, offsets={0: 0, 2: 4}),
        golden=Golden(
            inputs=(np.arange(8, dtype=np.int8).reshape(2, 1, 4),),
            outputs=(np.array([[[-1, 2, 3]], [[4, 5, -6]]], np.int8),),
            by="a reference",
            of="made up",
        ),
    )
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def test_the_project_is_written_beside_the_library(tmp_path: Path) -> None:
    artifacts = emit(firmware_of(load("qemu-m4")), tmp_path)

    assert {artifact.path for artifact in artifacts if artifact.kind == "firmware"} == {
        f"firmware/{name}"
        for name in (
            *("Makefile", "linker.ld", "model.h", "golden.h", "startup.c", "memory.c", "main.c", "hooks.h", "run.c"),
            *("semihosting.h", "semihosting.c", "self_test.c"),
        )
    }


def test_without_golden_values_there_is_no_self_test(tmp_path: Path) -> None:
    emit(firmware_of(load("qemu-m4"), golden=None), tmp_path)

    assert not (tmp_path / "firmware" / "self_test.c").exists()
    assert "self_test" not in (tmp_path / "firmware" / "Makefile").read_text().split(".PHONY")[0]


def test_golden_values_are_the_raw_bytes(tmp_path: Path) -> None:
    emit(firmware_of(load("qemu-m4")), tmp_path)

    text = re.sub(r"\s+", " ", (tmp_path / "firmware" / "golden.h").read_text())

    assert "2 samples (made up), and what a reference gives for them" in text
    assert "golden_inputs[2][4] = { { 0, 1, 2, 3}, { 4, 5, 6, 7}, };" in text
    assert "golden_outputs[2][3] = { { 255, 2, 3}, { 4, 5, 250}, };" in text


@pytest.mark.parametrize("lacking", ["program", "layout"])
def test_nothing_is_written_without_a_c_library(tmp_path: Path, lacking: str) -> None:
    assert emit(firmware_of(load("qemu-m4"), **{lacking: None}), tmp_path) == ()


def test_a_core_without_memory_has_no_project_and_the_reason_is_told(tmp_path: Path) -> None:
    emit(firmware_of(load("cortex-m4")), tmp_path)

    assert not (tmp_path / "firmware").exists()
    assert why_no_firmware(load("cortex-m4")) == "its profile states no addresses of flash and RAM"


@pytest.mark.parametrize("target", BOARDS, ids=lambda target: target.id)
def test_the_linker_script_places_the_image_in_the_boards_memory(target: Target) -> None:
    memory = map_of(target)
    assert memory is not None

    script = linker_script(target)

    for region, kind in ((memory.flash, "FLASH (rx)"), (memory.ram, "RAM (rwx)")):
        assert f"{kind} : ORIGIN = 0x{region.start:08x}, LENGTH = {region.size_bytes}" in script


def test_every_core_has_a_board_with_firmware() -> None:
    assert {target.board["core"] for target in BOARDS} == {target.board["core"] for target in CORTEX_M}


@pytest.mark.parametrize("name", [*ONE_OF_EACH_CORE, "rpi-pico-2"])
def test_all_images_compile_without_a_warning(tmp_path: Path, name: str) -> None:
    for program in ("arm-none-eabi-gcc", "make"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    emit(firmware_of(load(name)), tmp_path)

    done = subprocess.run(
        ["make", "-s", "all", "run", "trace", "profile", "bin"],
        cwd=tmp_path / "firmware",
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["main", "run", "model", "string"])
def test_a_model_may_have_the_name_of_a_file_that_is_there(tmp_path: Path, name: str) -> None:
    for program in ("arm-none-eabi-gcc", "make"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    emit(firmware_of(load("nucleo-f446re"), name=name), tmp_path)

    done = subprocess.run(["make", "-s", "all"], cwd=tmp_path / "firmware", capture_output=True, text=True)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_no_source_of_the_firmware_is_a_models() -> None:
    sources = {
        Path(file.name).stem for file in files("edgecompile.emit.firmware").iterdir() if file.name.endswith(".c")
    }

    assert sources <= TAKEN


@pytest.mark.parametrize("name", ["kws", "model"])
def test_no_name_of_the_front_end_is_defined_as_itself(name: str) -> None:
    text = model_header(name, firmware_of(load("nucleo-f446re")).program.subgraph, hears=True)

    assert f"#define MODEL_FEATURES {name}_features\n" in text
    assert re.findall(r"^(?:#define|typedef) (\w+) \1\b", text, re.MULTILINE) == []


def test_the_boot_block_is_where_the_boot_rom_looks(tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which("make") is None:
        pytest.skip("arm-none-eabi-gcc or make is not installed")
    emit(firmware_of(load("rpi-pico-2")), tmp_path)
    subprocess.run(["make", "-s", "bin"], cwd=tmp_path / "firmware", check=True)

    image = (tmp_path / "firmware" / "build" / "app.bin").read_bytes()

    words = load("rpi-pico-2").board["boot"]["words"]
    assert np.frombuffer(image[0x40:0x54], "<u4").tolist() == words
    assert image.index(bytes.fromhex("d3deffff")) < 4096
