"""Wrapper classes: their compilers take them, and they feed and read the interpreter as TensorFlow Lite quantizes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wrapped
from wrapped import HARD_LABELS, MODELS, port, run, samples, stored

from edgecompile.core.errors import BadInputError, EdgecompileError
from edgecompile.core.project import Android, Preprocess
from edgecompile.emit.emission import Emission
from edgecompile.emit.emitters import cmake, java, kotlin
from edgecompile.frontend import preprocess
from edgecompile.libs.affine import dequantize, quantize

needs_java = pytest.mark.skipif(
    not wrapped.has("javac"), reason="javac is missing: apt-get install openjdk-17-jdk-headless"
)
needs_gxx = pytest.mark.skipif(not wrapped.has("g++"), reason="g++ is missing: apt-get install g++")
needs_kotlin = pytest.mark.skipif(not wrapped.has("kotlinc"), reason="kotlinc is missing: apt-get install kotlin")
_JAVA_TYPE = {"float32": "float", "int32": "int", "int64": "long", "bool": "byte"}


def expected_inputs(emission: Emission) -> list[bytes]:
    """What the tensors have to hold, by NumPy: the compiler's own preprocessing and quantization of data sets."""
    found = []
    for seed, index in enumerate(emission.network.main.inputs):
        tensor = emission.network.main.tensors[index]
        raw = samples(tensor, seed)
        if port(tensor).quantized or tensor.dtype == "float32":
            raw = preprocess.apply(raw, emission.preprocess or Preprocess(), "x")
        found.append((quantize(raw, port(tensor)) if port(tensor).quantized else raw.astype(tensor.dtype)).tobytes())
    return found


def outputs_of(emission: Emission) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """What the stub gives for each output, and what the caller must see."""
    found = []
    for seed, index in enumerate(emission.network.main.outputs):
        tensor = emission.network.main.tensors[index]
        raw = stored(tensor, 100 + seed)
        found.append((raw, dequantize(raw, port(tensor)) if port(tensor).quantized else raw))
    return found


def prepare(emission: Emission, folder: Path) -> Path:
    """The stub's folder: outputs to give, and sizes."""
    folder.mkdir()
    main = emission.network.main
    for index, (raw, _) in enumerate(outputs_of(emission)):
        (folder / f"output{index}.bin").write_bytes(raw.tobytes())
        (folder / f"output{index}.bin.size").write_text(str(raw.nbytes))
    for index, content in enumerate(expected_inputs(emission)):
        (folder / f"input{index}.bin.size").write_text(str(len(content)))
    assert len(main.inputs) == len(expected_inputs(emission))
    return folder


def check(emission: Emission, folder: Path, printed: str) -> None:
    """The tensors were fed exactly, and what came back is what they mean, to the last bit of the float."""
    for index, content in enumerate(expected_inputs(emission)):
        assert (folder / f"input{index}.bin").read_bytes() == content, f"input {index}"
    lines = printed.splitlines()
    for line, (_, real) in zip(lines, outputs_of(emission), strict=False):
        seen = np.array([float(word) for word in line.split()], dtype=np.float32)
        np.testing.assert_array_equal(seen, real.reshape(-1).astype(np.float32))


def java_main(emission: Emission, name: str) -> str:
    """A program that calls the class with the samples and prints each output on a line."""
    main = emission.network.main
    given = []
    for seed, index in enumerate(main.inputs):
        tensor = main.tensors[index]
        kind = "float" if port(tensor).quantized else _JAVA_TYPE[tensor.dtype]
        suffix = {"float": "f", "long": "L"}.get(kind, "")
        values = ", ".join(
            f"{value}{suffix}"
            for value in samples(tensor, seed).reshape(-1).astype(float if kind == "float" else int).tolist()
        )
        given.append(f"new {kind}[] {{{values}}}")
    several = len(main.outputs) > 1
    fields = ["stateOutput0", "optionsValue", "output2"] if several else []
    shown = [f"java.util.Arrays.toString(made.{field})" for field in fields] or ["java.util.Arrays.toString(made)"]
    prints = "\n".join(f'System.out.println({one}.replaceAll("[,\\\\[\\\\]]", ""));' for one in shown)
    made = f"{name}.Outputs" if several else "float[]"
    labels = (
        f"System.out.println({name}.best(made)); for (String l : {name}.LABELS) System.out.println(l);"
        if emission.labels
        else ""
    )
    return f"""package {wrapped.PACKAGE};
public class Main{name} {{
  public static void main(String[] words) throws Exception {{
    java.io.PrintStream out = new java.io.PrintStream(System.out, true, "UTF-8"); System.setOut(out);
    try ({name} model = new {name}(java.nio.ByteBuffer.allocateDirect(4), {name}.options())) {{
      {made} made = model.run({", ".join(given)});
      {prints}
      {labels}
    }}
  }}
}}
"""


CLASS_NAMES = {
    "int8": "Int8Image",
    "uint8": "Uint8",
    "int16": "Int16",
    "float": "ModelFloat",
    "several": "InterpreterModel",
}


@pytest.fixture(scope="module")
def java_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All wrappers and programs that call them, compiled in one run."""
    folder = tmp_path_factory.mktemp("java")
    sources = []
    for key, emission in MODELS.items():
        sources.append(folder / java.emit(emission, folder)[0].path)
        sources.append(folder / f"Main{CLASS_NAMES[key]}.java")
        sources[-1].write_text(java_main(emission, CLASS_NAMES[key]))
    wrapped.compile_java(sources, folder / "classes")
    return folder / "classes"


@needs_java
@pytest.mark.parametrize("key", MODELS)
def test_a_java_wrapper_feeds_and_reads_exactly(key: str, java_classes: Path, tmp_path: Path) -> None:
    stub = prepare(MODELS[key], tmp_path / "stub")

    out = run(
        [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            str(java_classes),
            f"-DSTUB={stub}",
            f"{wrapped.PACKAGE}.Main{CLASS_NAMES[key]}",
        ],
        tmp_path,
    )

    check(MODELS[key], stub, out)
    if MODELS[key].labels:
        scores = outputs_of(MODELS[key])[0][1].reshape(-1)
        assert out.splitlines()[1:] == [HARD_LABELS[int(scores.argmax())], *HARD_LABELS]


@needs_gxx
def test_a_cpp_wrapper_feeds_and_reads_exactly_and_refuses_another_model(tmp_path: Path) -> None:
    emission = MODELS["int8"]
    cmake.emit(emission, tmp_path)
    stub = prepare(emission, tmp_path / "stub")
    values = ", ".join(f"{value}f" for value in samples(emission.network.main.tensors[0], 0).reshape(-1).tolist())
    (tmp_path / "main.cpp").write_text(f"""
#include <cstdio>
#include "int8_image.hpp"
int main() {{
  Int8Image model("model", 5);
  static const float values[Int8Image::kImageSize] = {{{values}}};
  float scores[Int8Image::kOutput0Size];
  if (!model.ok() || !model.Run(values, scores)) return 1;
  for (float score : scores) std::printf("%.9g ", static_cast<double>(score));
  std::puts("");
  for (std::size_t i = 0; i < Int8Image::kLabelCount; ++i) std::puts(Int8Image::Label(i));
  return Int8Image::Label(3) != nullptr;
}}
""")
    strict = ["-std=c++14", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-missing-field-initializers"]
    run(["g++", *strict, f"-isystem{wrapped.STUBS}", "-Iinclude", "main.cpp", "-o", "main"], tmp_path)

    out = run(["./main"], tmp_path, STUB=str(stub))

    check(emission, stub, out)
    assert tuple(out.splitlines()[1:]) == HARD_LABELS
    (stub / "input0.bin.size").write_text("47")
    with pytest.raises(AssertionError):
        run(["./main"], tmp_path, STUB=str(stub))


@needs_gxx
@pytest.mark.parametrize("key", MODELS)
def test_every_cpp_wrapper_compiles_alone(key: str, tmp_path: Path) -> None:
    header = cmake.emit(MODELS[key], tmp_path)[0].path

    run(
        [
            "g++",
            "-std=c++14",
            "-Wall",
            "-Wextra",
            "-Werror",
            f"-isystem{wrapped.STUBS}",
            "-fsyntax-only",
            "-x",
            "c++",
            header,
        ],
        tmp_path,
    )


@pytest.mark.slow
@needs_java
@needs_kotlin
@pytest.mark.slow
def test_kotlin_wrappers_compile_and_feed_exactly(tmp_path: Path) -> None:
    sources = [str(tmp_path / kotlin.emit(emission, tmp_path)[0].path) for emission in MODELS.values()]
    wrapped.compile_java([], tmp_path / "stubs")
    run(["kotlinc", "-cp", str(tmp_path / "stubs"), "-d", "kotlin.jar", *sources], tmp_path)
    mains = tmp_path / "mains"
    mains.mkdir()
    for key, emission in MODELS.items():
        # Kotlin's properties are read through getters.
        text = java_main(emission, CLASS_NAMES[key])
        for field in ("stateOutput0", "optionsValue", "output2"):
            text = text.replace(f"made.{field}", f"made.get{field[0].upper()}{field[1:]}()")
        (mains / f"Main{CLASS_NAMES[key]}.java").write_text(text)
    classes = f"{tmp_path / 'stubs'}:{tmp_path / 'kotlin.jar'}"
    run(["javac", "-cp", classes, "-d", str(mains), *map(str, mains.glob("*.java"))], tmp_path)
    runtime = next(Path("/usr/share").rglob("kotlin-stdlib.jar"))

    for key, emission in MODELS.items():
        stub = prepare(emission, tmp_path / f"stub-{key}")
        out = run(
            [
                "java",
                "-cp",
                f"{classes}:{mains}:{runtime}",
                f"-DSTUB={stub}",
                f"{wrapped.PACKAGE}.Main{CLASS_NAMES[key]}",
            ],
            tmp_path,
        )
        check(emission, stub, out)


@pytest.mark.parametrize("emitter", [java, kotlin, cmake], ids=["java", "kotlin", "cpp"])
def test_the_same_model_gives_the_same_ascii_bytes_with_nothing_left_to_fill_in(emitter: Any, tmp_path: Path) -> None:
    for key, emission in MODELS.items():
        for again in ("a", "b"):
            (tmp_path / again / key).mkdir(parents=True)
            emitter.emit(emission, tmp_path / again / key)
        files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a" / key).rglob("*") if path.is_file()]
        for path in files:
            content = (tmp_path / "a" / path).read_bytes()
            assert content == (tmp_path / "b" / path).read_bytes()
            assert content.isascii()
            assert b"@if" not in content and b"@each" not in content and b"@end" not in content


@pytest.mark.slow
def test_five_thousand_labels_stay_within_the_size_of_a_java_method(tmp_path: Path) -> None:
    labels = tuple(f"species number {index}" for index in range(5000))
    emission = dataclasses.replace(
        wrapped.model("many", (wrapped.IMAGE,), (wrapped.tensor("y", (1, 5000), "float32"),)), labels=labels
    )
    path = tmp_path / java.emit(emission, tmp_path)[0].path

    text = path.read_text()
    assert [text.count(f"names.add({json.dumps(label)});") for label in labels] == [1] * 5000
    assert text.count("private static void labels") == 5
    if wrapped.has("javac"):
        wrapped.compile_java([path], tmp_path / "classes")


@pytest.mark.parametrize(
    "tensor, labels",
    [
        pytest.param(wrapped.tensor("y", (1, 1), "float32"), ("no", "yes"), id="one-score-of-two"),
        pytest.param(wrapped.tensor("y", (1,), "int64"), ("a", "b", "c"), id="argmax"),
    ],
)
def test_labels_of_an_index_have_no_best(tensor: Any, labels: tuple[str, ...], tmp_path: Path) -> None:
    emission = wrapped.model("m", (wrapped.IMAGE,), (tensor,), labels=labels)

    text = (tmp_path / java.emit(emission, tmp_path)[0].path).read_text()

    assert "LABELS" in text and "best(" not in text


@pytest.mark.parametrize(
    "emission, code, told",
    [
        pytest.param(
            wrapped.model("m", (wrapped.IMAGE,), (SCORES := wrapped.SCORES,), labels=("a", "b")),
            "EC690",
            "2 labels",
            id="labels-that-do-not-match",
        ),
        pytest.param(
            dataclasses.replace(MODELS["int8"], android=Android(package="Org.example")),
            "EC691",
            "Org.example",
            id="capital-in-package",
        ),
        pytest.param(
            dataclasses.replace(MODELS["int8"], android=Android(package="org.new")),
            "EC691",
            "org.new",
            id="keyword-in-package",
        ),
        pytest.param(
            wrapped.model("m", (wrapped.tensor("words", (1,), "string"),), (wrapped.SCORES,)),
            "EC695",
            "words",
            id="strings",
        ),
    ],
)
def test_what_no_class_can_be_made_of_is_told(emission: Emission, code: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(EdgecompileError) as caught:
        java.emit(emission, tmp_path)

    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == code
    assert told in " ".join((diagnostic.message, *diagnostic.notes))
    assert isinstance(caught.value, BadInputError) or code == "EC695"
