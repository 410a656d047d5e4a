"""A model on emulated boards, from the .tflite to counted instructions; and what is said when that cannot be."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgecompile import board, pipeline
from edgecompile.config.profiles import load
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.progress import Silent
from edgecompile.core.project import Project
from edgecompile.core.report import Report
from edgecompile.core.target import Target
from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder
from edgecompile.libs import programs
from edgecompile.measure.board import counter, image, qemu

MISSING = [name for name in ("arm-none-eabi-gcc", "make", "qemu-system-arm") if shutil.which(name) is None]
needs_board = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
pytestmark = pytest.mark.micro


def a_model(path: Path) -> Path:
    """A convolution, a dense layer and a softmax: int8[1, 6, 6, 3] to int8[1, 5]."""
    rng = np.random.default_rng(0)
    build = NetworkBuilder()
    x = build.input("x", (1, 6, 6, 3), "int8", scale=0.02, zero_point=3)
    w = build.constant("w", rng.integers(-127, 128, (4, 3, 3, 3)), "int8", scale=0.01)
    y = build.tensor("y", (1, 6, 6, 4), "int8", scale=0.1)
    v = build.constant("v", rng.integers(-127, 128, (5, 144)), "int8", scale=0.01)
    z = build.tensor("z", (1, 5), "int8", scale=0.2)
    p = build.tensor("p", (1, 5), "int8", scale=1 / 256, zero_point=-128)
    build.op("CONV_2D", [x, w], [y], padding="SAME", stride_h=1, stride_w=1, dilation_h_factor=1, dilation_w_factor=1)
    build.op("FULLY_CONNECTED", [y, v], [z])
    build.op("SOFTMAX", [z], [p], beta=1.0)
    path.write_bytes(writer.write(build.output(p).build()))
    return path


def built(folder: Path, targets: Sequence[Target], **more: bool) -> tuple[Report, ...]:
    model = a_model(folder / "small.tflite")
    names = tuple(target.id for target in targets)
    project = Project(model=str(model), base=folder, targets=names, output=folder / "out")
    return pipeline.build(project, targets, Silent(), **more)


@needs_board
def test_a_build_runs_on_the_emulated_board_and_counts(tmp_path: Path) -> None:
    targets = [load(name) for name in ("qemu-m4", "qemu-m7", "qemu-m55", "nucleo-f446re")]

    reports = built(tmp_path, targets)

    for report in reports:
        assert report.status == "verified", report.diagnostics
        assert "in all 3 tensors" in report.details["verification on the emulated board"]
        for name in ("instructions", "flash_bytes", "ram_bytes", "stack_bytes"):
            measure = report.measure(name)
            assert measure is not None and measure.value is not None and measure.value > 0, name
    instructions = [report.measure("instructions") for report in reports]
    assert all(one is not None and one.method.startswith("simulated: QEMU") for one in instructions)
    # The Nucleo board has the core of the first emulated board, which stands for it.
    assert instructions[3] == instructions[0]


@needs_board
def test_the_timer_and_the_plugin_count_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(tmp_path, [load("qemu-m4")])
    stands = board.emulated(load("qemu-m4"))
    assert stands is not None
    image.build(tmp_path / "out" / "qemu-m4" / "firmware", ["run"], tmp_path / "images")
    x = [np.zeros((2, 1, 6, 6, 3), np.int8)]

    counted = qemu.run(stands.machine, tmp_path / "images" / "run.elf", x, stands.clock_hz)
    monkeypatch.setattr(counter, "plugin", lambda: None)
    timed = qemu.run(stands.machine, tmp_path / "images" / "run.elf", x, stands.clock_hz)

    assert np.array_equal(counted.outputs, timed.outputs)
    assert len(counted.laps) == len(timed.laps) == 3
    assert counted.laps[0] == counted.laps[2]
    # The timer has steps of 40 instructions, and starting and stopping it takes some more.
    assert abs(timed.laps[0] - counted.laps[0]) <= 120


@needs_board
def test_the_stack_stays_within_its_bound(tmp_path: Path) -> None:
    (report,) = built(tmp_path, [load("qemu-m4")])
    bound = report.measure("stack_bytes")
    assert bound is not None and bound.value is not None
    firmware = tmp_path / "out" / "qemu-m4" / "firmware"
    # A second opinion: paint the stack, run, look how far the paint is gone.
    (firmware / "main.c").write_text(PAINTED)
    makefile = (
        (firmware / "Makefile").read_text().replace("APP_SOURCES ?= main.c", "APP_SOURCES = main.c semihosting.c")
    )
    (firmware / "Makefile").write_text(makefile)
    image.build(firmware, ["app"], tmp_path / "images")

    done = subprocess.run(qemu.command("mps2-an386", tmp_path / "images" / "app.elf"), capture_output=True, text=True)

    used = int((done.stdout + done.stderr).split()[-1])
    assert 100 < used <= bound.value + PAINTING


# The frame of the function that paints, and the call of it.
PAINTING = 64
PAINTED = """
#include "model.h"
#include "semihosting.h"
extern uint32_t ec_stack_top[];
static MODEL_ARENA(arena);
int main(void)
{
    volatile uint32_t *const top = ec_stack_top, *place;
    const volatile uint32_t *here;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (place = top - 2048; place < here; ++place) *place = 0xa5a5a5a5u;
    MODEL_INIT(arena.bytes);
    MODEL_INVOKE(arena.bytes);
    for (place = top - 2048; *place == 0xa5a5a5a5u; ++place) {
    }
    ec_host_print_number((uint32_t)(top - place) * 4u);
    ec_host_exit(0);
}
"""


def code_of(raised: pytest.ExceptionInfo[EdgecompileError]) -> str:
    return raised.value.diagnostics[0].code


@needs_board
def test_changed_firmware_is_told_about(tmp_path: Path) -> None:
    built(tmp_path, [load("qemu-m4")])
    firmware = tmp_path / "out" / "qemu-m4" / "firmware"
    (firmware / "main.c").write_text("int main(void) { return no_such_name; }\n")
    (firmware / "self_test.c").write_text("int main(void) { *(volatile int *)0xfffffff0u = 1; return 0; }\n")
    small = tmp_path / "small.ld"
    small.write_text((firmware / "linker.ld").read_text().replace("LENGTH = 4194304", "LENGTH = 1024"))

    with pytest.raises(EdgecompileError) as uncompiled:
        image.build(firmware, ["app"], tmp_path / "a")
    with pytest.raises(EdgecompileError) as too_large:
        image.build(firmware, ["run"], tmp_path / "b", small)
    image.build(firmware, ["self_test"], tmp_path / "c")
    with pytest.raises(EdgecompileError) as broke:
        qemu.self_test("mps2-an386", tmp_path / "c" / "self_test.elf")

    assert [code_of(one) for one in (uncompiled, too_large, broke)] == ["EC661", "EC662", "EC663"]
    assert "no_such_name" in uncompiled.value.diagnostics[0].notes[0]
    assert {note.split(":")[0] for note in too_large.value.diagnostics[0].notes} == {"flash", "RAM"}
    assert "edgecompile: hard fault" in broke.value.diagnostics[0].notes


@needs_board
def test_a_build_too_large_for_the_boards_ram_is_rejected_and_not_written(tmp_path: Path) -> None:
    target = load("qemu-m4")
    regions = tuple(dataclasses.replace(r, size_bytes=1500) if r.kind == "ram" else r for r in target.regions)
    narrow = dataclasses.replace(target, regions=regions, runtime=None)

    (report,) = built(tmp_path, [narrow])

    assert report.status == "rejected"
    assert [d.code for d in report.diagnostics][-1] == "EC662"
    assert not (tmp_path / "out" / "qemu-m4").exists()


def test_a_folder_without_firmware_is_ec665(tmp_path: Path) -> None:
    with pytest.raises(EdgecompileError) as raised:
        image.build(tmp_path, ["app"], tmp_path)

    assert code_of(raised) == "EC665"


def test_a_core_alone_builds_without_firmware_and_is_told_so(tmp_path: Path) -> None:
    (report,) = built(tmp_path, [load("cortex-m4")])

    assert report.status == "verified"
    assert [d.code for d in report.diagnostics if d.code.startswith("EC66")] == ["EC660"]


@pytest.mark.parametrize("required", [False, True])
def test_missing_programs_are_a_warning_unless_they_are_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: bool
) -> None:
    find = programs.find
    monkeypatch.setattr(programs, "find", lambda name: None if name == "qemu-system-arm" else find(name))

    (report,) = built(tmp_path, [load("qemu-m4")], require_verified=required)

    said = next(d for d in report.diagnostics if d.code == "EC667")
    assert "`qemu-system-arm` is not installed" in said.message
    assert report.status == ("failed" if required else "verified")
    assert (tmp_path / "out" / "qemu-m4" / "firmware" / "Makefile").is_file() is not required
    # What needs no emulator is measured all the same, and the rest predicted.
    if not required and not MISSING:
        stack, instructions = report.measure("stack_bytes"), report.measure("instructions")
        assert stack is not None and stack.method.startswith("measured")
        assert instructions is not None and instructions.method.startswith("predicted")


def test_a_core_that_qemu_has_no_board_for_stands_alone() -> None:
    assert board.emulated(load("nucleo-f103rb")) is None
