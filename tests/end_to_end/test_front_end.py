"""A model that hears, from clips to firmware: features in C on this machine, on the emulated board, and by `run`."""

from __future__ import annotations

import json
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from edgecompile.cli.main import main
from edgecompile.cli.run_sound import features_of
from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder

MISSING = [name for name in ("arm-none-eabi-gcc", "make", "qemu-system-arm", "gcc") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.micro,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
PROJECT = """\
[project]
model   = "ear.tflite"
targets = {targets}
[data]
source = "clips.npz"
labels = "labels.txt"
[data.features]
kind   = "{kind}"
window = 256
step   = 200
bands  = 12
low_hz = 100.0
coefficients = 12
[data.preprocess]
sample_rate = 8000
scale = 0.1
"""
LENGTH, ROWS, COLUMNS = 1056, 5, 12


def project(folder: Path, targets: list[str], kind: str = "log_mel") -> Path:
    """A dense layer over five rows of twelve, and a few clips of noise."""
    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(4)
    build = NetworkBuilder()
    x = build.input("x", (1, ROWS, COLUMNS), "int8", scale=0.035, zero_point=-128)
    w = build.constant("w", generator.integers(-127, 128, (3, ROWS * COLUMNS)), "int8", scale=0.01)
    y = build.tensor("y", (1, 3), "int8", scale=0.25)
    build.op("FULLY_CONNECTED", [x, w], [y])
    (folder / "ear.tflite").write_bytes(writer.write(build.output(y).build()))
    clips = generator.normal(0, 2000, (40, LENGTH)).astype(np.int16)
    np.savez(folder / "clips.npz", x_train=clips[:30], y_train=np.arange(30) % 3, x_test=clips[30:], y_test=[0, 1] * 5)
    (folder / "labels.txt").write_text("low\nmiddle\nhigh\n")
    (folder / "edgecompile.toml").write_text(PROJECT.format(targets=json.dumps(targets), kind=kind))
    with wave.open(str(folder / "heard.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(clips[-1].tobytes())
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("ear"), ["qemu-m4"])
    assert main(["build", "--project", str(folder / "edgecompile.toml"), "--quiet", "--emit", "cmake,zephyr"]) == 0
    return folder


def ask(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    exit_code = main([*map(str, words), "--json"])
    return exit_code, json.loads(capsys.readouterr().out)


def test_a_build_proves_its_front_end_here_and_on_the_emulated_board(built: Path) -> None:
    report = json.loads((built / "build" / "qemu-m4" / "report.json").read_text())

    details = report["details"]
    assert details["verification of the features"] == (
        "features in C equal Python's in all 420 values of 7 clips, bit for bit"
    )
    assert "bit for bit" in details["verification of the features on the emulated board"]
    (counted,) = [measure for measure in report["measures"] if measure["name"] == "features_instructions"]
    assert counted["value"] > 10_000 and counted["method"].startswith("simulated")
    assert details["data"]["features"]["shape"] == [ROWS, COLUMNS]


def test_the_board_hears_what_this_machine_hears(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", built / "build" / "qemu-m4", "--inputs", built / "heard.wav", "--on"]

    on_host, host = ask(capsys, *words, "host")
    on_board, board = ask(capsys, *words, "qemu")

    assert (on_host, on_board) == (0, 0)
    assert board["outputs"] == host["outputs"]


APPLICATION = """\
#include "model.h"
#include "semihosting.h"
void application_listen(int16_t *samples, uint32_t count);
void application_use(void *arena);
static int32_t said;
void application_listen(int16_t *samples, uint32_t count)
{
    static int32_t sound = 0;
    if (sound == 0) {
        sound = ec_host_open("sound.raw", EC_HOST_READ);
        said = ec_host_open("said.bin", EC_HOST_WRITE);
    }
    if (!ec_host_read(sound, samples, count * sizeof *samples)) {
        ec_host_close(said);
        ec_host_exit(0);
    }
}
void application_use(void *arena) { (void)ec_host_write(said, MODEL_OUTPUT(arena, 0), model_output_bytes[0]); }
"""


def test_the_application_hears_a_stream_as_this_machine_hears_its_windows(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows come in one by one; whatever is in the model's input is what a clip of the same samples would give."""
    step, window, runs, new = 200, 256, 4, 2
    firmware = tmp_path / "target" / "firmware"
    shutil.copytree(built / "build" / "qemu-m4", tmp_path / "target")
    (firmware / "application.c").write_text(APPLICATION)
    sound = np.random.default_rng(5).normal(0, 3000, step * (ROWS + new * (runs - 1))).astype(np.int16)
    (tmp_path / "sound.raw").write_bytes(sound.tobytes())
    words = ["APP_SOURCES=main.c application.c semihosting.c", f"OPTIMIZE=-O2 -DMODEL_FEATURES_ROWS_A_RUN={new}"]
    subprocess.run(["make", "-s", "-C", firmware, "app", *words], check=True)
    board = ["qemu-system-arm", "-machine", "mps2-an386", "-display", "none", "-serial", "none", "-monitor", "none"]
    board += ["-semihosting-config", "enable=on,target=native", "-kernel", str(firmware / "build" / "app.elf")]
    subprocess.run(board, check=True, cwd=tmp_path, timeout=60)
    said = np.fromfile(tmp_path / "said.bin", np.int8).reshape(runs, 3)

    # Before the first sample there was silence, as much as two windows have in common.
    heard = np.concatenate([np.zeros(window - step, np.int16), sound])
    data = json.loads((built / "build" / "qemu-m4" / "report.json").read_text())["details"]["data"]
    clips = np.stack([heard[run * new * step :][:LENGTH] for run in range(runs)])
    np.save(tmp_path / "x.npy", np.concatenate([features_of(clip[None], data) for clip in clips]))
    _, found = ask(capsys, "run", built / "build" / "qemu-m4", "--on", "host", "--inputs", tmp_path / "x.npy")

    (real,) = found["outputs"].values()  # type: ignore[attr-defined]
    assert np.array_equal(said * 0.25, np.array(real))


def test_the_class_is_named(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, clip = str(built / "build" / "qemu-m4"), str(built / "heard.wav")

    assert main(["run", folder, "--on", "host", "--inputs", clip]) == 0

    assert any(f"({label})" in capsys.readouterr().out for label in ("low", "middle", "high"))


def test_other_builds_take_the_front_end_in(built: Path) -> None:
    folder = built / "build" / "qemu-m4"

    assert "ear_features.c" in (folder / "CMakeLists.txt").read_text()
    assert "ear_features.c" in (folder / "zephyr" / "CMakeLists.txt").read_text()


def test_a_target_without_a_c_library_says_who_must_compute_the_features(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path / "ear", ["coral"], "mfcc")

    exit_code, found = ask(capsys, "build", "--project", folder / "edgecompile.toml")

    assert exit_code == 0
    assert "EC287" in [diagnostic["code"] for diagnostic in found["diagnostics"]]  # type: ignore[index,union-attr]


def test_a_wav_for_a_model_that_takes_numbers_is_refused(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = built / "ear.tflite"

    exit_code, found = ask(capsys, "run", model, "--on", "host", "--inputs", built / "heard.wav")

    assert exit_code == 2
    assert [diagnostic["code"] for diagnostic in found["diagnostics"]] == ["EC111"]  # type: ignore[index,union-attr]


def test_an_unchanged_project_proves_nothing_again(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["build", "--project", str(built / "edgecompile.toml"), "--emit", "cmake,zephyr"]
    assert main(words) == 0
    capsys.readouterr()

    assert main(words) == 0

    unfolded = capsys.readouterr().err.replace("\n" + " " * 11, " ")
    lines = [line for line in unfolded.splitlines() if line[:9].strip() in ("Verify C", "Board")]
    assert len(lines) == 3 and all(line.endswith("cached") for line in lines)
