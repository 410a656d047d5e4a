"""Compiled models: what is in them against the flatbuffers library and real files, and damaged ones told as such."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from compiled_packages import executable, model, options, package
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecompile.cli.main import main
from edgecompile.core.errors import BadInputError
from edgecompile.ir.compiled import is_compiled, packages_of, refuse_compiled
from edgecompile.ir.describe import describe
from edgecompile.ir.flexbuffer import read_map
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.tables import DamagedError
from edgecompile.ir.text import text

CACHED, STREAMED = bytes(range(200)), b"\x80" * 64
WHOLE = options(package([executable(2, STREAMED, inputs=("x",)), executable(1, CACHED)]))


def code_of(network: Network) -> str:
    with pytest.raises(BadInputError) as raised:
        packages_of(network, "m.tflite")
    return raised.value.diagnostics[0].code


def test_a_package_says_what_is_cached_and_what_is_streamed() -> None:
    (found,) = packages_of(model(WHOLE))

    assert (found.minimum_runtime, found.compiler) == (14, "cl/1")
    assert (found.cached_bytes, found.streamed_bytes) == (200, 64)
    run, cache = found.executables
    assert (run.kind, cache.kind) == ("execution only", "parameter caching")
    assert (run.scratch_bytes, run.tile_bytes, run.estimated_cycles, run.chip) == (96, 4096, 1234, "beagle")
    assert (run.instruction_bytes, run.caching_token) == (16, 2**63 + 5)
    (port,) = run.inputs
    assert (port.name, port.shape, port.size_bytes, port.scale, port.zero_point) == ("x", (4, 4, 3), 64, 0.5, 128)


def test_a_stand_alone_program_streams_its_parameters() -> None:
    (found,) = packages_of(model(options(package([executable(0, STREAMED)]))))

    assert (found.cached_bytes, found.streamed_bytes) == (0, 64)


def test_an_ordinary_model_has_no_packages() -> None:
    ordinary = Network(subgraphs=())

    assert not is_compiled(ordinary)
    assert packages_of(ordinary) == ()
    refuse_compiled(ordinary, "m.tflite")


def test_facts_and_text_tell_the_same() -> None:
    network = model(WHOLE)
    packages = packages_of(network)

    facts = describe(network, packages=packages)["compiled"]
    shown = text(network, packages=packages)

    assert (facts["cached_bytes"], facts["streamed_bytes"], facts["minimum_runtime"]) == (200, 64, 14)
    assert facts["cpu_operators"] == {"QUANTIZE": 1}
    assert "left on the CPU  QUANTIZE 1" in shown
    assert max(map(len, shown.splitlines())) <= 80
    json.dumps(facts, allow_nan=False)


@pytest.mark.parametrize(
    "damaged, code",
    [
        pytest.param(b"", "EC553", id="no-options"),
        pytest.param(b"\x00\x01", "EC553", id="two-bytes"),
        pytest.param(WHOLE[-40:], "EC553", id="begins-cut-off"),
        pytest.param(WHOLE[:-1] + b"\x03", "EC553", id="width-of-three"),
        pytest.param(options(b"no package"), "EC554", id="not-a-package"),
        pytest.param(options(package([])[:24]), "EC554", id="package-cut-off"),
        pytest.param(options(package([b"tiny"])), "EC554", id="program-of-four-bytes"),
        pytest.param(options(package([executable(7, b"")])), "EC554", id="unknown-type"),
        pytest.param(options(package([executable(1, b"")] * 65)), "EC554", id="too-many-programs"),
    ],
)
def test_a_damaged_package_is_told_as_such(damaged: bytes, code: str) -> None:
    assert code_of(model(damaged)) == code


def test_a_map_without_a_package_names_what_it_has() -> None:
    from flatbuffers import flexbuffers

    with pytest.raises(BadInputError) as raised:
        packages_of(model(bytes(flexbuffers.Dumps({"1": 0, "5": -1}))))

    assert raised.value.diagnostics[0].code == "EC553"
    assert raised.value.diagnostics[0].notes == ("the map has `1`, `5`",)


def test_maps_hold_every_kind_of_value() -> None:
    from flatbuffers import flexbuffers

    given_map = {"i": -5, "big": 2**40, "f": 0.5, "t": True, "none": None, "list": [1, "two", [3]], "map": {"k": 1}}

    found = read_map(memoryview(bytes(flexbuffers.Dumps(given_map))))

    listed = found["list"]
    assert isinstance(listed, list)
    assert [bytes(v).decode() if isinstance(v, memoryview) else v for v in listed] == [1, "two", [3]]
    assert {key: value for key, value in found.items() if key != "list"} == {
        key: value for key, value in given_map.items() if key != "list"
    }


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64))
def test_noise_is_a_map_or_damaged(noise: bytes) -> None:
    with contextlib.suppress(DamagedError):
        assert isinstance(read_map(memoryview(noise)), dict)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_changed_bytes_and_cut_ends_never_crash(data: st.DataObject) -> None:
    changed = bytearray(WHOLE[data.draw(st.integers(0, 8)) : len(WHOLE) - data.draw(st.integers(0, 8))])
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))

    try:
        text(model(bytes(changed)), packages=packages_of(model(bytes(changed))))
    except BadInputError as error:
        assert error.diagnostics[0].code in ("EC553", "EC554")


@pytest.mark.data
def test_real_compiled_models_hold_what_others_decoded(data: Path) -> None:
    pairs = json.loads((data / "coral" / "ground_truth.json").read_text(encoding="utf-8"))["pairs"]
    by_blob = {pair["compiled_git_blob"][:10]: pair["package"] for pair in pairs}
    seen = 0

    for path in sorted((data / "coral" / "models").glob("*_edgetpu.tflite")):
        true = by_blob.get(path.name[:10])
        packages = packages_of(read(path.read_bytes()), path.name)
        assert packages, path.name
        if true is None:
            continue
        (found,) = packages
        seen += 1
        assert found.cached_bytes == true["params_cached_bytes"]
        assert found.streamed_bytes == true["params_streamed_bytes"]
        assert [found.minimum_runtime] == true["min_runtime_version"]
        run = next(one for one in found.executables if one.kind == "execution only")
        assert (run.instruction_bytes, run.tile_bytes) == (true["instruction_bytes"], true["narrow_bytes_per_tile"])
        assert [port.name for port in run.inputs] == [layer["name"] for layer in true["input_layers"]]
    assert seen


@pytest.mark.data
@pytest.mark.parametrize("command", ["build", "check"])
def test_a_compiled_model_is_not_compiled_again(
    command: str, data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = next((data / "coral" / "models").glob("*ASR_Model_edgetpu.tflite"))
    rest = ["-o", str(tmp_path)] if command == "build" else []

    exit_code = main([command, str(path), "-t", "coral", *rest])

    assert exit_code == 2
    assert "error[EC555]" in capsys.readouterr().err


@pytest.mark.data
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_compiled_file_is_a_diagnostic(
    share: float, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = next((data / "coral" / "models").glob("*ASR_Model_edgetpu.tflite")).read_bytes()
    path = tmp_path / "cut_edgetpu.tflite"
    path.write_bytes(whole[: int(share * len(whole))])

    exit_code = main(["inspect", str(path)])

    assert exit_code == 2
    assert "error[EC" in capsys.readouterr().err
