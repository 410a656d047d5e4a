"""Glue for CMake, Arduino and Zephyr: libraries are built, the sketch is compiled."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest
from emissions import emission

from edgecompile.emit.emission import Emission, Layout
from edgecompile.emit.emit import emit, review
from edgecompile.ir.build import NetworkBuilder
from edgecompile.kernels.program import compile_network

GLUE = ("cmake", "arduino", "zephyr")


def a_dense_layer(*names: str, **more: object) -> Emission:
    build = NetworkBuilder()
    x = build.input("x", (1, 2), "int8", scale=0.5, zero_point=0)
    w = build.constant("w", [[1, 1]], "int8", scale=1.0)
    y = build.tensor("y", (1, 1), "int8", scale=0.5)
    build.op("FULLY_CONNECTED", [x, w], [y])
    network = build.output(y).build()
    layout = Layout(arena_bytes=8, offsets={0: 0, 2: 4})
    base = dataclasses.replace(
        emission("c_library", *names), network=network, program=compile_network(network), layout=layout
    )
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", GLUE)
def test_nothing_is_written_without_a_c_library_and_that_is_told(tmp_path: Path, name: str) -> None:
    without = a_dense_layer(name, program=None)

    assert emit(without, tmp_path) == ()
    assert list(tmp_path.iterdir()) == []
    assert [(found.code, f"`{name}` is not written" in found.message) for found in review(without)] == [("EC640", True)]
    assert review(a_dense_layer(name)) == ()


@pytest.mark.parametrize("name", GLUE)
def test_what_is_written_is_told(tmp_path: Path, name: str) -> None:
    artifacts = emit(a_dense_layer(name), tmp_path)

    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {artifact.path for artifact in artifacts} == there
    assert any(artifact.kind == name for artifact in artifacts)


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_an_application_links_the_cmake_library(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    emit(a_dense_layer("cmake"), tmp_path / "model")
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "kws.h"\n'
        "static union { uint64_t a; uint8_t bytes[KWS_ARENA_BYTES]; } arena;\n"
        "int main(void) { int8_t *x = kws_input(arena.bytes, 0); kws_init(arena.bytes); x[0] = 40; x[1] = 2;\n"
        'kws_invoke(arena.bytes); printf("%d", *(const int8_t *)kws_output(arena.bytes, 0)); return 0; }\n'
    )
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(application C)\nadd_subdirectory(model)\n"
        "add_executable(application main.c)\ntarget_link_libraries(application PRIVATE kws)\n"
    )

    run("cmake", "-S", ".", "-B", "out", cwd=tmp_path)
    run("cmake", "--build", "out", cwd=tmp_path)

    assert run(tmp_path / "out" / "application", cwd=tmp_path) == "42"


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_the_sketch_compiles_as_arduino_would_compile_it(tmp_path: Path) -> None:
    emit(a_dense_layer("arduino"), tmp_path)
    library = tmp_path / "arduino" / "kws"
    # What Arduino.h gives a sketch, as far as this one uses it.
    (tmp_path / "Arduino.h").write_text(
        "#include <stdint.h>\nstruct Port { void begin(long); template <class T> void print(T);"
        " template <class T> void println(T); };\nextern Port Serial;\n"
        "unsigned long micros();\nvoid delay(unsigned long);\nvoid setup();\nvoid loop();\n"
    )
    sketch = library / "examples" / "run_kws" / "run_kws.ino"
    strict = ["-Wall", "-Wextra", "-Werror", "-std=c++17", "-include", tmp_path / "Arduino.h"]

    run("g++", "-x", "c++", *strict, "-fsyntax-only", f"-I{library}/src", sketch, cwd=tmp_path)
    run("gcc", "-std=c99", "-fsyntax-only", "kws.c", cwd=library / "src")

    properties = dict(line.split("=", 1) for line in (library / "library.properties").read_text().splitlines())
    required = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}
    assert required <= set(properties)


# What stands for an Arduino core on an emulated Cortex-M4: output to the host, and an end after the first loop.
_CORE = """\
#include <stdio.h>
#include <stdlib.h>
#include "Arduino.h"
Port Serial;
void Port::begin(long) {}
void Port::print(int value) { printf("%d", value); }
void Port::print(unsigned long value) { printf("%lu", value); }
void Port::print(const char *text) { printf("%s", text); }
void Port::println(const char *text) { printf("%s\\n", text); }
unsigned long micros() { static unsigned long now; return now += 7; }
void delay(unsigned long) { exit(0); }
int main() { setup(); for (;;) loop(); }
extern "C" void _mainCRTStartup();
extern const uintptr_t vectors[];
__attribute__((section(".vectors"), used)) const uintptr_t vectors[2] = {
    0x20100000u, reinterpret_cast<uintptr_t>(&_mainCRTStartup)};
"""
_ARDUINO_H = """\
#pragma once
#include <stdint.h>
struct Port {
    void begin(long); void print(int); void print(unsigned long); void print(const char *); void println(const char *);
};
extern Port Serial;
unsigned long micros();
void delay(unsigned long);
void setup();
void loop();
"""
_CROSS = ("arm-none-eabi-g++", "arm-none-eabi-gcc", "qemu-system-arm")
_PLACES = (".vectors=0", ".init=0x400", ".text=0x1000", ".data=0x20000000")


@pytest.mark.skipif(any(shutil.which(name) is None for name in _CROSS), reason=f"one of {_CROSS} is not installed")
def test_the_sketch_runs_on_an_emulated_core(tmp_path: Path) -> None:
    emit(a_dense_layer("arduino"), tmp_path)
    library = tmp_path / "arduino" / "kws"
    sketch = library / "examples" / "run_kws" / "run_kws.ino"
    sketch.write_text(sketch.read_text().replace("input[i] = 0;", "input[i] = 21;"))
    (tmp_path / "Arduino.h").write_text(_ARDUINO_H)
    (tmp_path / "core.cpp").write_text(_CORE)
    flags = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-Wall", "-Wextra", "-Werror"]
    # As Arduino's cores compile: GNU C11, GNU C++14, no exceptions, no run-time types.
    cpp = [*flags, "-std=gnu++14", "-fno-exceptions", "-fno-rtti", f"-I{library}/src", "-include", "Arduino.h"]

    run("arm-none-eabi-gcc", *flags, "-std=gnu11", "-c", library / "src" / "kws.c", "-o", "kws.o", cwd=tmp_path)
    run("arm-none-eabi-g++", *cpp, "-x", "c++", "-c", sketch, "-o", "sketch.o", cwd=tmp_path)
    run("arm-none-eabi-g++", *cpp, "-c", "core.cpp", "-o", "core.o", cwd=tmp_path)
    places = [f"-Wl,--section-start={place}" for place in _PLACES]
    objects = ["sketch.o", "core.o", "kws.o"]
    run("arm-none-eabi-g++", *flags[:2], "--specs=rdimon.specs", *places, *objects, "-o", "sketch.elf", cwd=tmp_path)

    board = "-machine mps2-an386 -display none -serial none -monitor none -semihosting-config enable=on,target=native"
    said = run("qemu-system-arm", *board.split(), "-kernel", "sketch.elf", cwd=tmp_path)
    assert said == "42 in 7 us\n"


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_the_sketch_prints_floats_of_a_model_that_gives_floats(tmp_path: Path) -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 2), "float32")
    y = build.tensor("y", (1, 2), "float32")
    build.op("NEG", [x], [y])
    network = build.output(y).build()
    emit(
        a_dense_layer(
            "arduino",
            network=network,
            program=compile_network(network),
            layout=Layout(arena_bytes=16, offsets={0: 0, 1: 8}),
        ),
        tmp_path,
    )
    library = tmp_path / "arduino" / "kws"
    sketch = library / "examples" / "run_kws" / "run_kws.ino"
    (tmp_path / "Arduino.h").write_text(_ARDUINO_H.replace("void print(int);", "void print(int); void print(double);"))

    run(
        "g++",
        "-x",
        "c++",
        "-Wall",
        "-Werror",
        "-fsyntax-only",
        "-include",
        "Arduino.h",
        f"-I{library}/src",
        sketch,
        cwd=tmp_path,
    )

    assert "const float *output" in sketch.read_text()


def test_kconfig_offers_the_model_to_zephyr(tmp_path: Path) -> None:
    kconfiglib = pytest.importorskip("kconfiglib", reason="kconfiglib is not installed")
    emit(a_dense_layer("zephyr"), tmp_path)

    options = kconfiglib.Kconfig(str(tmp_path / "zephyr" / "Kconfig"))
    options.syms["KWS_MODEL"].set_value("y")
    options.write_config(str(tmp_path / ".config"))

    assert options.warnings == []
    assert "CONFIG_KWS_MODEL=y" in (tmp_path / ".config").read_text()


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_the_zephyr_module_compiles_where_zephyrs_functions_are_played(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    emit(a_dense_layer("zephyr"), tmp_path / "model")
    module = (tmp_path / "model" / "zephyr" / "module.yml").read_text()
    assert "cmake: zephyr\n" in module and "kconfig: zephyr/Kconfig\n" in module
    assert "config KWS_MODEL\n" in (tmp_path / "model" / "zephyr" / "Kconfig").read_text()
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(played C)\nset(CONFIG_KWS_MODEL y)\n"
        "macro(zephyr_library_named name)\n set(current ${name})\n add_library(${name} STATIC)\nendmacro()\n"
        "macro(zephyr_library_sources)\n target_sources(${current} PRIVATE ${ARGN})\nendmacro()\n"
        "macro(zephyr_library_compile_options)\n target_compile_options(${current} PRIVATE ${ARGN})\nendmacro()\n"
        "macro(zephyr_include_directories)\n include_directories(${ARGN})\nendmacro()\n"
        "add_subdirectory(model/zephyr out_model)\n"
    )

    run("cmake", "-S", ".", "-B", "out", cwd=tmp_path)
    run("cmake", "--build", "out", cwd=tmp_path)

    assert list((tmp_path / "out").rglob("libkws_model.a"))
