"""`run --on adb`, with an adb that plays the device."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest

from edgecompile.cli.main import main

BENCHMARK = """\
INFO: Log parameter values verbosely: [0]
INFO: Explicitly applied NNAPI delegate, and the model graph will be completely executed by the delegate.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds.
INFO: count=21 first=31000 curr=22000 min=21500 max=31000 avg=23800 std=1200
INFO: Running benchmark for at least 50 iterations and at least 1 seconds.
INFO: count=50 first=20100 curr=20050 min=19900 max=20900 avg=20123.5 std=150
INFO: Inference timings in us: Init: 81234, First inference: 31000, Warmup (avg): 23800, Inference (avg): 20123.5
"""
FAKE = """#!/bin/sh
echo "$*" >> "{log}"
if [ "$1" = -s ]; then shift 2; fi
case "$*" in
  devices) printf 'List of devices attached\\n{devices}\\n' ;;
  "shell getprop ro.product.model") echo "Pixel Test" ;;
  "shell getprop ro.build.version.sdk") echo 33 ;;
  "shell ls"*) {listing} ;;
  push*) {pushing} ;;
  *--graph=*) cat "{answer}"; exit {code} ;;
esac
"""


class Phone:
    """The folder of a fake adb: what it was asked is in ``asked``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        (folder / "answer").write_text(BENCHMARK)
        self.plug("abc\\tdevice")

    def plug(self, devices: str, listing: str = "exit 0", pushing: str = "exit 0", code: int = 0) -> None:
        path = self.folder / "adb"
        answer = self.folder / "answer"
        text = FAKE.format(log=self.log, devices=devices, listing=listing, pushing=pushing, answer=answer, code=code)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phone:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Phone(folder)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The folder of a build for the NNAPI."""
    folder = tmp_path / "build" / "android-nnapi"
    folder.mkdir(parents=True)
    (folder / "m.tflite").write_bytes(b"model")
    artifact = {"path": "m.tflite", "sha256": hashlib.sha256(b"model").hexdigest()}
    (folder / "report.json").write_text(json.dumps({"target": "android-nnapi", "artifacts": [artifact]}))
    return folder


def test_the_benchmark_is_pushed_run_and_read(
    phone: Phone, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "benchmark_model"
    program.write_bytes(b"\x7fELF")

    words = ["run", str(built), "--on", "adb", "--benchmark", str(program), "--runs", "50", "--threads", "2", "--json"]
    exit_code = main(words)

    bench = json.loads(capsys.readouterr().out)["bench"]
    assert exit_code == 0
    assert (bench["average_ms"], bench["min_ms"], bench["max_ms"]) == (20.1235, 19.9, 20.9)
    assert (bench["init_ms"], bench["first_ms"], bench["warm_up_ms"], bench["runs"]) == (81.234, 31.0, 23.8, 50)
    assert bench["device"] == "Pixel Test (API level 33)"
    assert bench["said"] == [
        "INFO: Explicitly applied NNAPI delegate, and the model graph will be completely executed by the delegate."
    ]
    folder = "/data/local/tmp/edgecompile"
    assert phone.asked[3:] == [
        f"-s abc shell mkdir -p {folder}",
        f"-s abc push {built / 'm.tflite'} {folder}/model.tflite",
        f"-s abc push {program} {folder}/benchmark_model",
        f"-s abc shell chmod +x {folder}/benchmark_model",
        f"-s abc shell {folder}/benchmark_model --graph={folder}/model.tflite --num_threads=2 --num_runs=50"
        " --use_nnapi=true",
    ]


def test_figures_name_the_device_and_that_they_are_measured(
    phone: Phone, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(built), "--on", "adb"]) == 0

    out = capsys.readouterr().out
    assert "average           20.123 ms" in out or "average           20.124 ms" in out
    assert "measured on Pixel Test (API level 33), asked for nnapi, 1 thread, 50 runs" in out


@pytest.mark.parametrize(
    "plug, words, code, told",
    [
        pytest.param({"devices": ""}, [], "EC774", "found: none", id="no-device"),
        pytest.param({"devices": "abc\\tunauthorized"}, [], "EC774", "allow debugging", id="unauthorized"),
        pytest.param({"devices": "a\\tdevice\\nb\\tdevice"}, [], "EC774", "--device SERIAL", id="two-devices"),
        pytest.param({"devices": "a\\tdevice"}, ["--device", "b"], "EC774", "`b`", id="another-serial"),
        pytest.param(
            {"devices": "a\\tdevice", "pushing": "echo no space >&2; exit 1"}, [], "EC775", "no space", id="full"
        ),
        pytest.param({"devices": "a\\tdevice", "code": 1}, [], "EC775", "the benchmark failed", id="benchmark-fails"),
        pytest.param(
            {"devices": "a\\tdevice", "listing": "exit 1"}, [], "EC776", "--benchmark FILE", id="no-benchmark"
        ),
    ],
)
def test_what_keeps_a_phone_from_measuring_is_told(
    plug: dict[str, object],
    words: list[str],
    code: str,
    told: str,
    phone: Phone,
    built: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    phone.plug(**plug)  # type: ignore[arg-type]

    exit_code = main(["run", str(built), "--on", "adb", *words])

    err = capsys.readouterr().err
    assert exit_code == 3
    assert f"error[{code}]" in err
    assert told in err


def test_one_of_several_devices_is_taken_by_name(phone: Phone, built: Path) -> None:
    phone.plug("a\\tdevice\\nb\\tdevice")

    assert main(["run", str(built), "--on", "adb", "--device", "b"]) == 0
    assert all(words.startswith("-s b ") for words in phone.asked[1:])


def test_output_without_times_is_ec777(phone: Phone, built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (phone.folder / "answer").write_text("hello\n")

    assert main(["run", str(built), "--on", "adb"]) == 3

    err = capsys.readouterr().err
    assert "error[EC777]" in err and "hello" in err


@pytest.mark.parametrize(
    "words, code",
    [
        pytest.param(["--inputs", "x.npz"], "EC104", id="inputs"),
        pytest.param(["--benchmark", "nowhere"], "EC778", id="no-such-program"),
    ],
)
def test_words_that_do_not_go_with_a_phone(
    words: list[str], code: str, phone: Phone, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(built), "--on", "adb", *words]) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_without_adb_the_package_is_named(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert main(["run", str(built), "--on", "adb"]) == 3

    err = capsys.readouterr().err
    assert "error[EC191]" in err and "apt-get install adb" in err
