"""`flash`: which commands are run for a board, and what is said about each way they can end; tools are played."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgecompile.cli.main import main
from edgecompile.config.profiles import load, names
from edgecompile.emit.emission import Golden, Layout
from edgecompile.emit.emit import Emission, emitters
from edgecompile.flash import uf2_file
from edgecompile.flash.flash import runners
from edgecompile.flash.runners import dfu_util, pyocd, st_flash, uf2
from edgecompile.flash.task import Task
from edgecompile.ir.build import NetworkBuilder
from edgecompile.kernels.program import compile_network

PASSED = "edgecompile self-test: 3 of 3 equal, passed"


def built(folder: Path, target_id: str, golden: bool = True) -> Path:
    """The folder that a build leaves, of a dense layer that adds up its inputs."""
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.5, zero_point=0)
    w = build.constant("w", np.ones((1, 4)), "int8", scale=1.0)
    y = build.tensor("y", (1, 1), "int8", scale=0.5)
    build.op("FULLY_CONNECTED", [x, w], [y])
    network = build.output(y).build()
    values = Golden(
        inputs=(np.array([[[1, 2, 3, 4]], [[-5, 0, 0, 1]]], np.int8),),
        outputs=(np.array([[[10]], [[-4]]], np.int8),),
        by="adding up",
        of="made up",
    )
    place = folder / target_id
    place.mkdir()
    emission = Emission(
        name="sum",
        network=network,
        content=b"",
        target=load(target_id),
        program=compile_network(network),
        layout=Layout(arena_bytes=8, offsets={0: 0, 2: 4}),
        golden=values if golden else None,
    )
    for emitter in ("c_library", "firmware"):
        emitters()[emitter].emit(emission, place)
    report = {"target": target_id, "artifacts": [{"path": "sum.tflite"}]}
    (place / "report.json").write_text(json.dumps(report))
    return place


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, with a make that makes empty images and a cross compiler that is never called."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    make = 'cd "$3"; /bin/mkdir -p build; for word; do case $word in build/*) echo made >$word;; esac; done'
    play(folder, "make", make)
    play(folder, "arm-none-eabi-gcc", "exit 0")
    return folder


def play(folder: Path, name: str, script: str) -> None:
    """A program that runs a few lines of shell; each call of it is kept in ``calls``."""
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >>{folder}/calls\n{script}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    return out + err


COMMANDS = {
    "openocd": (
        "nucleo-f446re",
        ["--verify", "--probe", "A1"],
        [
            "openocd -f board/st_nucleo_f4.cfg -c 'adapter serial A1' "
            "-c 'program {D/firmware/build/app.elf} verify reset exit'"
        ],
    ),
    "openocd, self-test": (
        "nucleo-f446re",
        ["--run"],
        [
            "openocd -f board/st_nucleo_f4.cfg -c 'program {D/firmware/build/self_test.elf}' "
            "-c 'reset halt' -c 'arm semihosting enable' -c resume"
        ],
    ),
    "pyocd": (
        "nrf52840-dk",
        ["--verify", "--run", "--probe", "7", "--timeout", "9"],
        [
            "pyocd load -t nrf52840 -u 7 --no-wait D/firmware/build/self_test.elf",
            "pyocd cmd -t nrf52840 -u 7 --no-wait -c 'compare 0x00000000 \"D/firmware/build/self_test.bin\"'",
            "pyocd run -t nrf52840 -u 7 --no-wait --eot --timelimit 9",
        ],
    ),
    "st-flash": (
        "nucleo-f446re",
        ["--runner", "st-flash"],
        ["st-flash --reset write D/firmware/build/app.bin 0x08000000"],
    ),
    "dfu-util": (
        "stm32f746g-disco",
        ["--runner", "dfu-util"],
        ["dfu-util --alt 0 --dfuse-address 0x08000000:leave --download D/firmware/build/app.bin"],
    ),
    "uf2": ("rpi-pico-2", ["--probe", "/drive"], ["cp D/firmware/build/app.uf2 /drive/"]),
    "qemu": (
        "qemu-m4",
        [],
        [
            "qemu-system-arm -machine mps2-an386 -display none -serial none -monitor none "
            "-semihosting-config enable=on,target=native -kernel D/firmware/build/self_test.elf"
        ],
    ),
}


@pytest.mark.parametrize(("target", "words", "expected"), COMMANDS.values(), ids=COMMANDS)
def test_a_dry_run_prints_the_commands_and_runs_none(
    tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str], target: str, words: list[str], expected: list[str]
) -> None:
    folder = built(tmp_path, target)

    exit_code = main(["flash", str(folder), "--dry-run", *words])

    lines = capsys.readouterr().out.replace(str(folder), "D").splitlines()
    assert exit_code == 0
    assert lines[0].startswith("make -s -C D/firmware OUT=build build/")
    assert lines[1:] == expected
    assert not (tools / "calls").exists()
    assert not (folder / "firmware" / "build").exists()


def test_the_command_is_printed_before_it_runs(tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built(tmp_path, "nucleo-f446re")
    play(tools, "openocd", 'echo "** Verified OK **"')

    exit_code = main(["flash", str(folder), "--verify"])

    out, err = capsys.readouterr()
    assert exit_code == 0
    assert "openocd -f board/st_nucleo_f4.cfg -c 'program {" in err
    assert out == f"{folder}/firmware/build/app.elf is on ST Nucleo-F446RE\n"
    calls = (tools / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["make", "openocd"]
    assert f"program {{{folder}/firmware/build/app.elf}} verify reset exit" in calls[1]


def test_the_self_tests_result_is_read_back(tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built(tmp_path, "nrf52840-dk")
    play(tools, "pyocd", f'[ "$1" = run ] && echo "{PASSED}"; exit 0')

    exit_code = main(["flash", str(folder), "--run", "--json"])

    found = json.loads(capsys.readouterr().out)
    assert exit_code == 0
    assert (found["runner"], found["self_test"]) == ("pyocd", PASSED)


ENDS = {
    "openocd, nothing attached": ("openocd", "echo 'Error: open failed' >&2; exit 1", [], "EC670"),
    "openocd, another chip": (
        "openocd",
        "echo 'Warn : UNEXPECTED idcode: 0x2ba01477'; echo 'Error: expected 1 of 1'; exit 1",
        [],
        "EC672",
    ),
    "openocd, differs": ("openocd", "echo '** Verify Failed **'; exit 1", ["--verify"], "EC675"),
    "openocd, anything else": ("openocd", "echo 'Error: stack overflow'; exit 1", [], "EC671"),
    "st-flash, nothing attached": (
        "st-flash",
        'echo "WARN usb.c: Couldn\'t find any ST-Link devices" >&2; exit 255',
        ["--runner", "st-flash"],
        "EC670",
    ),
    "st-flash, another chip": (
        "st-flash",
        "echo 'Failed to connect to target' >&2; exit 1",
        ["--runner", "st-flash"],
        "EC672",
    ),
    "pyocd, nothing attached": (
        "pyocd",
        "echo 'No connected debug probes'; exit 1",
        ["--runner", "pyocd"],
        "EC670",
    ),
    "pyocd, another chip": (
        "pyocd",
        "echo 'Target type stm32f446retx not recognized'; exit 1",
        ["--runner", "pyocd"],
        "EC672",
    ),
    "pyocd, differs though it exits with 0": (
        "pyocd",
        '[ "$1" = cmd ] && echo "Mismatched byte at 0x08000000"; exit 0',
        ["--runner", "pyocd", "--verify"],
        "EC675",
    ),
    "no result": ("openocd", "echo started; exit 0", ["--run"], "EC676"),
    "failed on the board": (
        "openocd",
        "echo 'edgecompile self-test: 1 of 3 equal, FAILED'; exit 1",
        ["--run"],
        "EC678",
    ),
}


@pytest.mark.parametrize(("tool", "script", "words", "code"), ENDS.values(), ids=ENDS)
def test_every_way_to_fail_has_its_diagnostic(
    tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str], tool: str, script: str, words: list[str], code: str
) -> None:
    folder = built(tmp_path, "nucleo-f446re")
    play(tools, tool, script)

    exit_code = main(["flash", str(folder), *words])

    assert (exit_code, f"error[{code}]" in said(capsys)) == (1, True)


@pytest.mark.skipif(importlib.util.find_spec("pyocd") is None, reason="pyocd is not installed")
def test_the_real_pyocd_takes_the_commands_and_finds_no_probe(tmp_path: Path) -> None:
    (tmp_path / "app.elf").write_bytes(b"")
    task = Task(image=tmp_path / "app", address=0, board={"pyocd": "nrf52840"}, verify=True, run=True)

    load, compare, run_ = (
        subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True)
        for words in pyocd.commands(task)
    )

    assert load.returncode != 0
    for done in (load, compare, run_):
        assert re.search(pyocd.NO_PROBE, done.stdout + done.stderr), done.stderr
        assert "usage:" not in done.stderr


REFUSED = {
    "tool missing": ("nucleo-f446re", [], "EC191", 3),
    "misspelt runner": ("nucleo-f446re", ["--runner", "opencd"], "EC673", 2),
    "a maker's own tool": ("nrf5340-dk", [], "EC673", 2),
    "the profile does not name the chip": ("nucleo-f446re", ["--runner", "dfu-util"], "EC674", 2),
    "dfu-util cannot run the test": ("stm32f746g-disco", ["--runner", "dfu-util", "--run"], "EC674", 2),
    "no emulated board": ("nucleo-f446re", ["--runner", "qemu"], "EC674", 2),
    "uf2 cannot verify": ("rpi-pico-2", ["--verify"], "EC674", 2),
}


@pytest.mark.parametrize(("target", "words", "code", "exit_code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused_before_anything_runs(
    tmp_path: Path,
    tools: Path,
    capsys: pytest.CaptureFixture[str],
    target: str,
    words: list[str],
    code: str,
    exit_code: int,
) -> None:
    folder = built(tmp_path, target)

    found = main(["flash", str(folder), *words])

    assert (found, f"error[{code}]" in said(capsys)) == (exit_code, True)
    assert not (tools / "calls").exists()


def test_a_misspelt_runner_gets_the_nearest_name(
    tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["flash", str(built(tmp_path, "nucleo-f446re")), "--runner", "opencd"])

    assert "did you mean `openocd`?" in said(capsys)


def test_a_build_without_golden_values_has_no_self_test(
    tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = built(tmp_path, "nucleo-f446re", golden=False)

    assert main(["flash", str(folder), "--run"]) == 2
    assert "error[EC677]" in said(capsys)


def test_a_folder_without_firmware_is_ec665(tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built(tmp_path, "nucleo-f446re")
    shutil.rmtree(folder / "firmware")

    assert main(["flash", str(folder)]) == 2
    assert "error[EC665]" in said(capsys)


def test_an_image_that_is_too_large_is_told_by_how_much(
    tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = built(tmp_path, "nucleo-f446re")
    play(tools, "openocd", "exit 0")
    play(tools, "make", 'echo "ld: region \\`FLASH\' overflowed by 1234 bytes" >&2; exit 2')

    assert main(["flash", str(folder)]) == 1
    text = " ".join(said(capsys).split())
    assert "error[EC662]" in text
    assert "flash: 1 234 bytes too many" in text


def test_list_shows_runners_and_probes(tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built(tmp_path, "nucleo-f446re")
    play(tools, "openocd", "exit 0")
    play(tools, "st-flash", "exit 0")
    play(tools, "st-info", "echo 'Found 1 stlink programmers'; echo '  serial:     066DFF50'")

    assert main(["flash", str(folder), "--list", "--json"]) == 0

    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["runners"]}
    assert set(found) == set(runners())
    assert found["openocd"]["default"] and found["openocd"]["program"] == str(tools / "openocd")
    assert found["st-flash"]["probes"] == ["066DFF50"]
    assert found["pyocd"] == {
        "name": "pyocd",
        "default": False,
        "for_this_board": True,
        "program": None,
        "probes": None,
    }


def test_list_explains_its_words(tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flash", str(built(tmp_path, "nucleo-f446re")), "--list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["runner", "board", "program"]
    words = {line[11:].split()[0] for line in lines[1:] if line and not line.startswith(("default:", "-:"))}
    assert words >= {"default", "fits", "-"}
    assert {word for word in ("default:", "fits:", "-:") if word in "\n".join(lines)} == {"default:", "fits:", "-:"}
    assert max(map(len, lines)) <= 80


def test_a_board_that_is_not_emulated_is_told_how_to_run_on_one(
    tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", str(built(tmp_path, "nucleo-f446re")), "--runner", "qemu"]) == 2

    text = " ".join(said(capsys).split())
    assert "it needs a board whose profile has `qemu` under [board]" in text
    assert "`edgecompile run DIR --on qemu` runs it on an emulated board with the same core, `qemu-m4`" in text


def test_probes_are_read_from_what_the_tools_print() -> None:
    dfu = (
        'Found DFU: [0483:df11] ver=2200, alt=1, serial="3275"\nFound DFU: [0483:df11] ver=2200, alt=0, serial="3275"\n'
    )
    ocd = "  0   Arm DAPLink CMSIS-DAP   0240000034544e45   n/a  \n  1   STM32 STLink   0668FF   n/a\n"

    assert dfu_util.probes(dfu) == ("3275",)
    assert pyocd.probes(ocd) == ("0240000034544e45 (Arm DAPLink CMSIS-DAP)", "0668FF (STM32 STLink)")
    assert pyocd.probes("No available debug probes are connected\n") == ()
    assert st_flash.probes("Found 0 stlink programmers\n") == ()


@pytest.fixture
def drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where drives of boot loaders would be mounted."""
    root = tmp_path / "media"
    monkeypatch.setattr(uf2, "ROOTS", (f"{root}/*",))
    return root


def test_a_uf2_is_copied_to_the_only_drive(
    tmp_path: Path, tools: Path, drives: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = built(tmp_path, "rpi-pico-2")
    (drives / "RP2350").mkdir(parents=True)
    (drives / "RP2350" / "INFO_UF2.TXT").write_text(
        "UF2 Bootloader v1.0\nModel: Raspberry Pi RP2350\nBoard-ID: RP2350\n"
    )
    (tools / "cp").symlink_to("/bin/cp")

    assert uf2.probes("") == (f"{drives}/RP2350 (RP2350)",)
    assert main(["flash", str(folder)]) == 0

    block = (drives / "RP2350" / "app.uf2").read_bytes()
    assert len(block) == 512
    assert block[32:37] == b"made\n"


def test_without_a_drive_it_is_ec670(
    tmp_path: Path, tools: Path, drives: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = built(tmp_path, "rpi-pico-2")
    (tools / "cp").symlink_to("/bin/cp")

    assert main(["flash", str(folder)]) == 1
    assert "error[EC670]: `uf2` finds no drive of a boot loader" in said(capsys)


def test_a_uf2_block_says_where_its_bytes_belong() -> None:
    content = uf2_file.write(bytes(range(256)) + b"rest", 0x10000000, 0xE48BFF59)

    first, second = content[:512], content[512:]
    assert struct.unpack("<8I", first[:32]) == (0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 2, 0xE48BFF59)
    assert struct.unpack("<8I", second[:32]) == (0x0A324655, 0x9E5D5157, 0x2000, 0x10000100, 256, 1, 2, 0xE48BFF59)
    assert first[32:288] == bytes(range(256)) and second[32:36] == b"rest"
    assert {part[-4:] for part in (first, second)} == {struct.pack("<I", 0x0AB16F30)}


def test_every_board_of_ours_can_be_flashed_or_says_with_what() -> None:
    for target in map(load, names()):
        runner = target.board.get("runner")
        if runner in runners():
            assert runners()[runner].NEEDS in target.board, target.id


MISSING = [name for name in ("arm-none-eabi-gcc", "make", "qemu-system-arm") if shutil.which(name) is None]


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
@pytest.mark.parametrize("target", ["qemu-m4", "qemu-m7", "qemu-m55"])
def test_the_qemu_runner_runs_the_self_test(tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built(tmp_path, target)

    assert main(["flash", str(folder)]) == 0
    assert capsys.readouterr().out == "edgecompile self-test: 2 of 2 equal, passed\n"


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_another_result_fails_on_qemu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built(tmp_path, "qemu-m4")
    golden = folder / "firmware" / "golden.h"
    golden.write_text(golden.read_text().replace("252}", "251}"))

    assert main(["flash", str(folder)]) == 1
    text = said(capsys)
    assert "error[EC678]" in text and "1 of 2 equal, FAILED" in text
    assert os.path.exists(folder / "firmware" / "build" / "self_test.elf")


def test_what_is_no_board_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = built(tmp_path, "android-cpu")

    assert main(["flash", str(folder)]) == 2
    text = " ".join(said(capsys).split())
    assert "error[EC673]: `android-cpu` is no board that can be flashed" in text
    assert "None" not in text
