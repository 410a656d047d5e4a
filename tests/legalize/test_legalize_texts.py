"""What users read, whole: a change here is read line by line."""

from __future__ import annotations

import textwrap

from small_networks import network, of_operators, tensor

from edgecompile.config.profiles import load
from edgecompile.ir.network import Network, Operator
from edgecompile.legalize.check import check
from edgecompile.legalize.naming import ranges

SIZE = tensor("int32[2]", 256)


def rendered(found: Network, target: str) -> str:
    return "\n".join(diagnostic.render() for diagnostic in check(found, load(target), "model.tflite").diagnostics)


def test_a_resize_on_coral() -> None:
    read, written = "int8[1, 8, 8, 64]", "int8[1, 64, 64, 64]"
    name = "StatefulPartitionedCall/model/up_1/resize/ResizeBilinear"
    model = network("RESIZE_BILINEAR", [read, SIZE], [tensor(written, name=name)], {"half_pixel_centers": False})

    assert rendered(model, "coral") == textwrap.dedent("""\
        warning[EC502]: `RESIZE_BILINEAR` cannot run on `coral` with these settings
          --> model.tflite, operator 0 (layer `resize`), int8[1, 8, 8, 64] -> int8[1, 64, 64, 64]
           = note: limit: it enlarges height and width at most 2 times
           = note: found: 8 times, int8[1, 8, 8, 64] -> int8[1, 64, 64, 64]
           = note: source: 285 public pairs of input model and what edgetpu_compiler made of it, enlarged at most twice; google-coral/edgetpu issues 31, 187: maps that no tile holds (fitted)
           = note: it runs on the CPU
           = help: enlarge in several steps, or with `Conv2DTranspose`
           = more: edgecompile explain EC502""")  # noqa: E501


def test_an_operator_that_tflm_lacks() -> None:
    tensors = [*[tensor("int8[1, 4]", name="t")] * 3, tensor("int32[2]", 1)]
    operators = [Operator(name="TILE", inputs=(0, 3), outputs=(1,)), Operator(name="TILE", inputs=(1, 3), outputs=(2,))]

    assert rendered(of_operators(tensors, operators), "cortex-m4") == textwrap.dedent("""\
        error[EC501]: `cortex-m4` has no operator `TILE`
          --> model.tflite, operator 0 (layer `t`), int8[1, 4] -> int8[1, 4]
           = note: limit: the 116 operators of the profile, `edgecompile targets show cortex-m4`
           = note: source: tensorflow/tflite-micro, tensorflow/lite/micro/micro_mutable_op_resolver.h
           = note: 2 of 2 operators: `TILE` 0, 1
           = help: build the layer from operators that `edgecompile targets show cortex-m4` lists
           = more: edgecompile explain EC501""")


def test_a_dynamic_range_depthwise_on_android() -> None:
    weights = tensor("int8[1, 3, 3, 8]", 1, scales=(0.1,) * 8)
    model = network("DEPTHWISE_CONV_2D", ["float32[1, 4, 4, 8]", weights], ["float32[1, 4, 4, 8]"], version=6)

    assert rendered(model, "android-nnapi") == textwrap.dedent("""\
        warning[EC508]: `DEPTHWISE_CONV_2D` is of version 6, which is too new for `android-nnapi`
          --> model.tflite, operator 0, float32[1, 4, 4, 8] -> float32[1, 4, 4, 8]
           = note: limit: the operator's version is at most 3
           = note: found: 6
           = note: source: google-ai-edge/LiteRT commit f674577, tflite/delegates/nnapi/nnapi_delegate.cc, lines 2534-2554; int16 activations are not mapped
           = note: it runs on the CPU
           = help: an older form of the layer avoids the newer version; `edgecompile inspect` shows the versions
           = more: edgecompile explain EC508""")  # noqa: E501


def test_a_level_that_is_too_low() -> None:
    model = network("LEAKY_RELU", ["int8[1, 4]"], ["int8[1, 4]"])

    assert rendered(model, "android-nnapi-27") == textwrap.dedent("""\
        warning[EC509]: `LEAKY_RELU` needs a higher level than `android-nnapi-27` has
          --> model.tflite, operator 0, int8[1, 4] -> int8[1, 4]
           = note: limit: the target's level is at least 29
           = note: found: 27
           = note: source: google-ai-edge/LiteRT commit f674577, tflite/delegates/nnapi/nnapi_delegate.cc, lines 3237-3245
           = note: it runs on the CPU
           = help: a target of level 29 takes it as it is
           = more: edgecompile explain EC509""")  # noqa: E501


def test_long_lists_of_operators_stay_short() -> None:
    assert ranges([3, 7, 12, 13, 14, 15]) == "3, 7, 12 to 15"
    assert ranges(range(0, 60, 2)) == "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and 18 more"
    assert ranges([4, 5]) == "4, 5"
