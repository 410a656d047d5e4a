"""The C library as text and as what compilers make of it; whether it computes right is tested with the kernels."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest
from emissions import emission

from edgecompile.emit.c.literals import comment, real
from edgecompile.emit.c.refusals import refusals
from edgecompile.emit.emission import Emission, Layout
from edgecompile.emit.emit import emit
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.lstm import TWO_ANSWERS
from edgecompile.kernels.program import Refusal, compile_network

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-c"]
COMPILERS = {
    "gcc c99": ("gcc", ["-std=c99", "-O2"]),
    "gcc c11 -Os": ("gcc", ["-std=c11", "-Os"]),
    "clang c99": ("clang", ["-std=c99", "-O2"]),
    "arm gcc, M0+": ("arm-none-eabi-gcc", ["-std=c99", "-O2", "-mcpu=cortex-m0plus", "-mthumb"]),
    "arm gcc, M4": ("arm-none-eabi-gcc", ["-std=c99", "-O2", "-mcpu=cortex-m4", "-mthumb"]),
    "arm gcc, M55": ("arm-none-eabi-gcc", ["-std=c99", "-O2", "-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"]),
    **{
        f"arm clang, {core}": ("clang", ["-std=c99", "-O2", "--target=arm-none-eabi", f"-mcpu={core}", "-mthumb"])
        for core in ("cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
    },
}


def small() -> Network:
    """A dense layer, a softmax, a new shape: names with what must not reach a compiler."""
    build = NetworkBuilder()
    x = build.input("serving */ x\\", (1, 4), "int8", scale=0.5, zero_point=-3)
    w = build.constant("w", [[1, -2, 3, 4], [5, 6, -7, 8], [0, 1, 0, 1]], "int8", scale=0.1)
    y = build.tensor("y", (1, 3), "int8", scale=0.25)
    z = build.tensor("z", (1, 3), "int8", scale=1 / 256, zero_point=-128)
    r = build.tensor("scores", (3,), "int8", scale=1 / 256, zero_point=-128)
    build.op("FULLY_CONNECTED", [x, w], [y])
    build.op("SOFTMAX", [y], [z])
    build.op("RESHAPE", [z], [r])
    return build.output(r).build()


def as_c(network: Network, **more: object) -> Emission:
    program = compile_network(network)
    layout = Layout(arena_bytes=16, offsets={0: 0, 2: 4, 3: 8, 4: 8})
    base = dataclasses.replace(emission("c_library"), program=program, layout=layout)
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def test_the_library_is_a_source_a_header_and_the_kernels_it_uses(tmp_path: Path) -> None:
    artifacts = emit(as_c(small()), tmp_path)

    assert [artifact.path for artifact in artifacts] == [
        "kws.h",
        "kws.c",
        "kernels/elements.h",
        "kernels/fully_connected_s8.h",
        "kernels/pairs.h",
        "kernels/pairs_dsp.h",
        "kernels/rounding.h",
        "kernels/softmax_s8.h",
    ]
    assert [artifact.kind for artifact in artifacts] == ["c_header", "c_source", *["c_header"] * 6]


def test_the_header_tells_sizes_and_quantization(tmp_path: Path) -> None:
    emit(as_c(small()), tmp_path)

    lines = (tmp_path / "kws.h").read_text().splitlines()

    for line in (
        "#define KWS_ARENA_BYTES 16",
        "#define KWS_INPUT_0_BYTES 4",
        "#define KWS_INPUT_0_SCALE 0.5f",
        "#define KWS_INPUT_0_ZERO_POINT (-3)",
        "#define KWS_OUTPUT_0_SCALE 0.00390625f",
    ):
        assert line in lines


def test_nothing_is_written_for_a_network_that_is_no_program(tmp_path: Path) -> None:
    assert emit(as_c(small(), program=None), tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def newlib() -> Path:
    """Headers of the C library that clang has none of for this core; the cross compiler knows where its own are."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    done = subprocess.run(["arm-none-eabi-gcc", "-print-file-name=libc.a"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).resolve().parent.parent / "include"


@pytest.mark.parametrize(("compiler", "flags"), COMPILERS.values(), ids=COMPILERS)
def test_it_compiles_without_a_warning(tmp_path: Path, compiler: str, flags: list[str]) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    if "--target=arm-none-eabi" in flags:
        flags = [*flags, "-isystem", str(newlib())]
    emit(as_c(small()), tmp_path)

    done = subprocess.run([compiler, *flags, *STRICT, "kws.c"], cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_it_has_no_variables_and_calls_no_library(tmp_path: Path) -> None:
    if shutil.which("gcc") is None or shutil.which("nm") is None:
        pytest.skip("gcc or nm is not installed")
    emit(as_c(small()), tmp_path)
    subprocess.run(["gcc", "-O2", "-c", "kws.c"], cwd=tmp_path, check=True)

    symbols = subprocess.run(["nm", "kws.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    kinds = {line.split()[-1]: line.split()[-2] for line in symbols.splitlines()}
    assert {name for name, kind in kinds.items() if kind == "T"} == {
        "kws_init",
        "kws_input",
        "kws_output",
        "kws_invoke",
    }
    assert set(kinds.values()) <= {"T", "t", "r", "R", "U"}
    assert {name for name, kind in kinds.items() if kind == "U"} <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}


def test_the_header_is_cpp_too(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    emit(as_c(small()), tmp_path)
    (tmp_path / "main.cc").write_text('#include "kws.h"\nint main() { kws_invoke(0); }\n')

    done = subprocess.run(["g++", *STRICT, "main.cc"], cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_an_lstm_that_references_differ_on_is_told_with_the_way_out() -> None:
    build = NetworkBuilder()
    y = build.output(build.op("RELU", [build.input("x", (1, 4))], [build.tensor("y", (1, 4))]))
    refused = Refusal(operator=0, label="UNIDIRECTIONAL_SEQUENCE_LSTM", reason=TWO_ANSWERS)

    (found,) = refusals(dataclasses.replace(compile_network(y.build()), refusals=(refused,)), "m.tflite")

    assert found.notes == (f"no kernel takes {TWO_ANSWERS}: `UNIDIRECTIONAL_SEQUENCE_LSTM` 0",)
    assert found.help[-1].endswith("convert the Keras model here instead")


def test_operators_without_a_kernel_are_one_ec640() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.5)
    y, z, u = (build.tensor(name, (1, 4), "int8", scale=0.5) for name in "yzu")
    build.op("ATAN2", [x, x], [y], version=1)
    build.op("ATAN2", [y, y], [z], version=1)
    build.op("COS", [z], [u], version=1)

    (found,) = refusals(compile_network(build.output(u).build()), "m.tflite")

    assert (found.code, found.consequences) == ("EC640", 2)
    assert found.message == "no C library is written: 3 operators of 2 kinds have no C kernel for this"
    assert found.notes == (
        "no kernel takes this operator: `ATAN2` 0, 1",
        "no kernel takes element types other than float32: `COS` 2",
    )
    assert str(found.location) == "m.tflite, operator 0 (layer `y`), int8[1, 4], int8[1, 4] -> int8[1, 4]"


def test_a_long_row_of_operators_without_a_kernel_is_cut() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.5)
    for index in range(9):
        y = build.tensor(f"y{index}", (1, 4), "int8", scale=0.5)
        build.op("COS", [x], [y], version=1)
        x = y

    (found,) = refusals(compile_network(build.output(x).build()), "m.tflite")

    assert found.message == "no C library is written: `COS` has no C kernel for this"
    assert found.notes == ("no kernel takes element types other than float32: `COS` 0, 1, 2, 3, 4, 5 and 3 more",)


@pytest.mark.parametrize("text", ["a */ b", "/* a", "line\nbreak", "trailing\\", "ünï"])
def test_a_name_cannot_end_its_comment(text: str) -> None:
    assert not {"*/", "/*", "\n", "\\"} & {comment(text)[i : i + n] for n in (1, 2) for i in range(len(text))}


@pytest.mark.parametrize(("value", "text"), [(0.1, "0.1f"), (1.0, "1.0f"), (1e-10, "1e-10f"), (0.05095, "0.05095f")])
def test_a_float_literal_is_the_shortest_that_is_exact(value: float, text: str) -> None:
    assert real(value) == text
