"""What emitters write, and whether the compilers it is for take it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from emissions import emission, network

from edgecompile.core.artifact import Artifact, listed
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.core.project import Preprocess
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emit import emit, emitters

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*argv: str, cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_was_written_is_told_in_a_line() -> None:
    paths = ["kws.tflite", "kws.h", "kernels/a.h", "kernels/b.h", "firmware/main.c", "kws.c"]
    artifacts = [Artifact(path=path, kind="c", size_bytes=1, sha256="") for path in paths]

    assert listed(artifacts) == "kws.tflite and 2 more, kernels/ 2, firmware/ 1"
    assert listed(artifacts[:1]) == "kws.tflite"


def test_emitters_are_found_by_their_files() -> None:
    ours = ["android_asset", "arduino", "c_array", "c_library", "cmake", "firmware", "gradle", "java", "kotlin"]
    assert sorted(emitters()) == [*ours, "operator_list", "tflite", "zephyr"]


def test_files_are_written_in_the_profiles_order_and_described(tmp_path: Path) -> None:
    wanted = emission("c_array", "tflite")

    artifacts = emit(wanted, tmp_path)

    assert [artifact.path for artifact in artifacts] == ["model_data.h", "model_data.c", "kws.tflite"]
    assert artifacts[2].sha256 == hashlib.sha256(wanted.content).hexdigest()
    assert (tmp_path / "kws.tflite").read_bytes() == wanted.content
    for artifact in artifacts:
        assert artifact.size_bytes == (tmp_path / artifact.path).stat().st_size


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    names = tuple(emitters())
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert emit(emission(*names), tmp_path / "a") == emit(emission(*names), tmp_path / "b")


def test_an_emitter_that_does_not_exist_is_ec621(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as raised:
        emit(emission("tflite", "c_arry"), tmp_path)

    assert raised.value.diagnostics[0].code == "EC621"
    assert "did you mean `c_array`?" in raised.value.diagnostics[0].help
    assert list(tmp_path.iterdir()) == []


# -- C ------------------------------------------------------------------------------------------------------------

PRINT = """\
#include <stdint.h>
#include <stdio.h>
#include "model_data.h"
int main(void) {
  unsigned int i;
  if ((uintptr_t)kws_model_data % 16 != 0) return 1;
  if (kws_model_data_size != KWS_MODEL_DATA_SIZE || sizeof kws_model_data != KWS_MODEL_DATA_SIZE) return 2;
  for (i = 0; i < kws_model_data_size; ++i) printf("%02x", kws_model_data[i]);
  printf(" %u", KWS_TENSOR_ARENA_BYTES);
  return 0;
}
"""
COMPILERS = {
    "c99": ("gcc", "c", ["-std=c99"]),
    "c11": ("gcc", "c", ["-std=c11"]),
    "c++17": ("g++", "cc", ["-std=c++17", "-x", "c++"]),
    "c++11": ("g++", "cc", ["-std=c++11", "-x", "c++"]),
}


@pytest.mark.parametrize(("compiler", "suffix", "flags"), COMPILERS.values(), ids=COMPILERS)
def test_the_array_compiles_cleanly_and_holds_the_model_aligned(
    tmp_path: Path, compiler: str, suffix: str, flags: list[str]
) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    wanted = emission("c_array", arena_bytes=4096)
    emit(wanted, tmp_path)
    (tmp_path / f"main.{suffix}").write_text(PRINT)

    run(compiler, *flags, *STRICT, "model_data.c", f"main.{suffix}", "-o", "main", cwd=tmp_path)

    assert run("./main", cwd=tmp_path) == f"{wanted.content.hex()} 4096"


def test_c_and_cpp_objects_link_together(tmp_path: Path) -> None:
    if shutil.which("gcc") is None or shutil.which("g++") is None:
        pytest.skip("gcc or g++ is not installed")
    emit(emission("c_array", arena_bytes=1), tmp_path)
    (tmp_path / "main.cc").write_text(PRINT)

    run("gcc", "-std=c99", *STRICT, "-c", "model_data.c", cwd=tmp_path)
    run("g++", "-std=c++17", *STRICT, "main.cc", "model_data.o", "-o", "main", cwd=tmp_path)

    run("./main", cwd=tmp_path)


def test_without_a_plan_there_is_no_arena_macro(tmp_path: Path) -> None:
    emit(emission("c_array"), tmp_path)

    assert "ARENA" not in (tmp_path / "model_data.h").read_text()


IDENTIFIERS = {
    "plain": ("kws", "kws"),
    "spaces and dashes": ("My  Model-v2", "my_model_v2"),
    "accents": ("modèle", "modele"),
    "digit first": ("3layer", "model_3layer"),
    "underscores around": ("__x__", "x"),
    "mixed scripts": ("模型_a", "a"),
    "a header of C": ("StdInt", "model_stdint"),
    "a source of the firmware": ("main", "model_main"),
    "a file beside it": ("model_data", "model_model_data"),
}


@pytest.mark.parametrize(("name", "wanted"), IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_names_become_c_identifiers(name: str, wanted: str) -> None:
    assert identifier(name) == wanted


@pytest.mark.parametrize("name", ["模型", "---", ""])
def test_a_name_without_letters_is_ec620(name: str) -> None:
    with pytest.raises(BadInputError, match="EC620"):
        identifier(name)


# -- operators ----------------------------------------------------------------------------------------------------

METHODS = {
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "QUANTIZE": "AddQuantize",
    "RELU6": "AddRelu6",
    "PADV2": "AddPadV2",
    "SPLIT_V": "AddSplitV",
    "ADD_N": "AddAddN",
    "BATCH_MATMUL": "AddBatchMatMul",
    "CUMSUM": "AddCumSum",
    "L2_NORMALIZATION": "AddL2Normalization",
    "BATCH_TO_SPACE_ND": "AddBatchToSpaceNd",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}
RESOLVER = """\
#pragma once
#include <string>
#include <vector>
enum TfLiteStatus {{ kTfLiteOk, kTfLiteError }};
namespace tflite {{
template <unsigned int n> struct MicroMutableOpResolver {{
  std::vector<std::string> added;
  {methods}
}};
}}
"""
LIST = """\
#include <cstdio>
#include "model_operators.h"
int main() {
  tflite::MicroMutableOpResolver<KWS_OPERATOR_COUNT> resolver;
  if (kws_add_operators(resolver) != kTfLiteOk) return 1;
  for (const auto& name : resolver.added) std::puts(name.c_str());
  return resolver.added.size() == KWS_OPERATOR_COUNT ? 0 : 2;
}
"""


def test_the_operator_list_registers_each_operator_once(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    emit(emission("operator_list", network=network("RELU6", *METHODS, *METHODS)), tmp_path)
    folder = tmp_path / "tensorflow" / "lite" / "micro"
    folder.mkdir(parents=True)
    added = (f'TfLiteStatus {m}() {{ added.push_back("{m}"); return kTfLiteOk; }}' for m in METHODS.values())
    (folder / "micro_mutable_op_resolver.h").write_text(RESOLVER.format(methods="\n  ".join(added)))
    (tmp_path / "main.cc").write_text(LIST)

    run("g++", "-std=c++11", *STRICT, "-I.", "main.cc", "-o", "main", cwd=tmp_path)

    assert run("./main", cwd=tmp_path).split() == sorted(METHODS.values())


def test_custom_operators_that_micro_ships_have_their_method(tmp_path: Path) -> None:
    emit(emission("operator_list", network=network("CUSTOM", custom="SignalRfft")), tmp_path)

    assert "resolver.AddRfft()" in (tmp_path / "model_operators.h").read_text()


UNKNOWN = {"builtin": (network("CONV_2D", "HASHTABLE"), 1), "custom": (network("CUSTOM", custom="Mystery"), 0)}


@pytest.mark.parametrize(("wanted", "index"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_operator_without_a_method_is_ec622(tmp_path: Path, wanted: object, index: int) -> None:
    with pytest.raises(RejectedError) as raised:
        emit(emission("operator_list", network=wanted), tmp_path)

    diagnostic = raised.value.diagnostics[0]
    assert diagnostic.code == "EC622"
    assert diagnostic.location is not None
    assert diagnostic.location.operator == index


# -- Android ------------------------------------------------------------------------------------------------------


def test_the_card_says_all_that_an_app_must_know(tmp_path: Path) -> None:
    wanted = emission(
        "android_asset",
        labels=("yes", "nö"),
        preprocess=Preprocess(scale=(0.5,), resize=(2, 2)),
        placements=("nnapi", "nnapi", "cpu"),
    )

    emit(wanted, tmp_path)

    assert (tmp_path / "assets" / "kws.tflite").read_bytes() == wanted.content
    assert json.loads((tmp_path / "kws.json").read_text("utf-8")) == {
        "schema": 1,
        "name": "kws",
        "asset": "assets/kws.tflite",
        "size_bytes": len(wanted.content),
        "sha256": hashlib.sha256(wanted.content).hexdigest(),
        "target": "some-board",
        "level": 30,
        "inputs": [
            {
                "index": 0,
                "name": "serving_default_x:0",
                "shape": [-1, 4],
                "dtype": "int8",
                "quantization": {"scale": [0.5], "zero_point": [-3]},
                "size_bytes": 4,
                "argument": "x",
            }
        ],
        "outputs": [
            {
                "index": 0,
                "name": "StatefulPartitionedCall:0",
                "shape": [1, 4],
                "dtype": "float32",
                "quantization": None,
                "size_bytes": 16,
                "argument": "scores",
            }
        ],
        "preprocess": {"scale": [0.5], "resize": [2, 2]},
        "labels": ["yes", "nö"],
        "delegation": {"cpu": 1, "nnapi": 2},
    }
