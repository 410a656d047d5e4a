"""Glue for CMake, Arduino and Zephyr: libraries are built, the sketch is compiled."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest
from emissions import emission

from edgecompile.emit.emission import Emission, Layout
from edgecompile.emit.emit import emit
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


@pytest.mark.parametrize("name", ["arduino", "zephyr"])
def test_nothing_is_written_without_a_c_library(tmp_path: Path, name: str) -> None:
    assert emit(a_dense_layer(name, program=None), tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


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
