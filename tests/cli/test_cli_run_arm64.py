"""`run --on arm64` and its set-up, with an emulator that runs this machine's own Python."""

from __future__ import annotations

import importlib.util
import json
import stat
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgecompile.cli.cache_place import cache_folder
from edgecompile.cli.main import main
from edgecompile.core.errors import RejectedError
from edgecompile.libs import arm64_setup
from edgecompile.libs.affine import Port
from edgecompile.libs.litert import Outputs
from edgecompile.libs.programs import Finished
from edgecompile.verify.arm64 import compare, differs

needs_interpreter = pytest.mark.skipif(
    not any(importlib.util.find_spec(name) for name in ("tflite_runtime", "ai_edge_litert")),
    reason="no interpreter is installed: pip install ai-edge-litert",
)


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path that holds what the test puts there; the cache is the test's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(arm64_setup, "find", lambda name: folder / name if (folder / name).exists() else None)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path / "cache"))
    return folder


def pretend_ready(cache: Path) -> None:
    place = arm64_setup.place(cache)
    place.root.mkdir(parents=True)
    (place.root.parent / "ready.json").write_text(arm64_setup._stamp())


@needs_interpreter
@pytest.mark.data
def test_a_model_runs_in_the_emulator_and_is_compared(
    bin: Path, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What stands behind the ARM64 Python's own options is the program.
    program(bin, arm64_setup.QEMU, f'while [ "$1" != "-E" ]; do shift; done; shift; exec {sys.executable} -P "$@"')
    pretend_ready(tmp_path / "cache")
    model = next((data / "tflite").glob("*kws_ref_model.tflite"))

    exit_code = main(["run", str(model), "--on", "arm64", "--json", "--save", str(tmp_path / "out.npz")])

    plain = json.loads(capsys.readouterr().out)
    assert exit_code == 0
    assert {resolver: [one["difference"] for one in found] for resolver, found in plain["compared"].items()} == {
        "reference": [0.0],
        "default": [0.0],
    }
    assert plain["compared"]["reference"][0]["bound"] == 0.0
    assert np.load(tmp_path / "out.npz")["Identity"].shape == (8, 12)


@needs_interpreter
@pytest.mark.data
def test_an_emulator_that_dies_is_ec772(
    bin: Path, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(bin, arm64_setup.QEMU, "echo qemu: uncaught target signal 11 >&2; exit 139")
    pretend_ready(tmp_path / "cache")
    model = next((data / "tflite").glob("*kws_ref_model.tflite"))

    assert main(["run", str(model), "--on", "arm64"]) == 1

    err = capsys.readouterr().err
    assert "error[EC772]" in err and "signal 11" in err


def tflite(folder: Path) -> Path:
    """A file that is taken for a model until it is read."""
    path = folder / "m.tflite"
    path.write_bytes(b"no model")
    return path


def test_without_qemu_the_package_is_named(bin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--install", "arm64"]) == 3

    err = capsys.readouterr().err
    assert "error[EC191]" in err and "apt-get install qemu-user-static" in err


def test_a_set_up_that_is_not_there_is_ec770(tmp_path: Path, bin: Path) -> None:
    program(bin, arm64_setup.QEMU, "exit 0")

    with pytest.raises(Exception) as caught:
        arm64_setup.ready(tmp_path / "cache")

    assert "EC770" in str(caught.value)


def test_measuring_needs_the_host(bin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tflite(tmp_path)), "--on", "arm64", "--bench"]) == 2
    assert "error[EC104]" in capsys.readouterr().err


def test_a_set_up_appears_whole_and_is_found_again(
    bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (arm64_setup.QEMU, "mmdebstrap"):
        program(bin, name, "exit 0")
    asked = []

    def run(argv: list[object], timeout_s: float) -> Finished:
        words = tuple(map(str, argv))
        asked.append(words)
        if words[0] == "mmdebstrap":
            Path(words[-1]).mkdir()
        else:
            wheels = Path(words[words.index("--dest") + 1])
            wheels.mkdir()
            with zipfile.ZipFile(wheels / "a.whl", "w") as archive:
                archive.writestr("a/__init__.py", "")
        return Finished(argv=words, returncode=0, stdout="", stderr="")

    monkeypatch.setattr(arm64_setup, "run", run)

    assert main(["doctor", "--install", "arm64", "--json"]) == 0

    folder = Path(json.loads(capsys.readouterr().out)["arm64"])
    assert (folder / "site/a/__init__.py").is_file() and (folder / "root").is_dir()
    assert arm64_setup.is_ready(tmp_path / "cache")
    assert "--arch=arm64" in asked[0] and "cp311" in asked[1]
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [folder.name]


@pytest.mark.parametrize("fails", ["mmdebstrap", "pip"])
def test_a_set_up_that_fails_is_ec771_and_leaves_nothing(
    fails: str, bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (arm64_setup.QEMU, "mmdebstrap"):
        program(bin, name, "exit 0")

    def run(argv: list[object], timeout_s: float) -> Finished:
        words = tuple(map(str, argv))
        bad = (words[0] == "mmdebstrap") == (fails == "mmdebstrap")
        return Finished(argv=words, returncode=int(bad), stdout="", stderr="E: no mirror" if bad else "")

    monkeypatch.setattr(arm64_setup, "run", run)

    assert main(["doctor", "--install", "arm64"]) == 3

    err = capsys.readouterr().err
    assert "error[EC771]" in err and "E: no mirror" in err
    assert list((tmp_path / "cache").iterdir()) == []


def outputs(values: list[float], dtype: str) -> Outputs:
    port = Port(name="y", shape=(1, len(values)), dtype=dtype, scale=0.5 if dtype == "int8" else 0.0)
    array = np.array([values], dtype=dtype)
    return Outputs(arrays=(array,), outputs=(port,), inputs=(), described=dtype, samples=1)


@pytest.mark.parametrize(
    "a, b, dtype, exact, holds",
    [
        pytest.param([1, 2], [1, 2], "int8", True, True, id="equal"),
        pytest.param([1, 2], [1, 3], "int8", True, False, id="reference-is-exact"),
        pytest.param([1, 2], [1, 3], "int8", False, True, id="one-step-of-optimized"),
        pytest.param([-128, 2], [127, 2], "int8", False, False, id="far-apart-without-overflow"),
        pytest.param([1.0, 2.0], [1.0, 2.00005], "float32", False, True, id="floats-within-the-bound"),
        pytest.param([1.0, 2.0], [1.0, 2.001], "float32", False, False, id="floats-outside"),
        pytest.param([1.0, np.nan], [1.0, np.nan], "float32", False, True, id="both-nan"),
        pytest.param([1.0, np.nan], [1.0, 0.0], "float32", False, False, id="one-nan"),
    ],
)
def test_outputs_are_held_against_their_bounds(
    a: list[float], b: list[float], dtype: str, exact: bool, holds: bool
) -> None:
    here, there = outputs(a, dtype), outputs(b, dtype)

    found = compare(here, there, exact=exact)

    assert found[0].holds is holds
    error = differs(found, here, there, "m.tflite")
    assert isinstance(error, RejectedError) and error.diagnostics[0].code == "EC773"
    assert ("bound" in " ".join(error.diagnostics[0].notes)) is not holds


@pytest.mark.parametrize(
    "environment, expected",
    [
        ({"EDGECOMPILE_CACHE": "/a/b"}, Path("/a/b")),
        ({"XDG_CACHE_HOME": "/x"}, Path("/x/edgecompile")),
        ({}, Path.home() / ".cache/edgecompile"),
    ],
    ids=["own", "xdg", "home"],
)
def test_the_cache_is_where_the_user_says(environment: dict[str, str], expected: Path) -> None:
    assert cache_folder(environment) == expected
