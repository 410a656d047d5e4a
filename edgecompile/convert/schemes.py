"""Which numbers go together, and what the converter is told to make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.recipe import CALIBRATIONS, NEEDS_CALIBRATION, Scheme

# int8 and int16x8 can start and end in float32, which puts a QUANTIZE and a DEQUANTIZE at the ends.
IO_DTYPES: Mapping[str, tuple[str, ...]] = {
    "int8": ("int8", "uint8", "float32"),
    "int16x8": ("int16", "float32"),
    "float16": ("float32",),
    "dynamic": ("float32",),
    "float32": ("float32",),
}


def check(scheme: Scheme) -> None:
    """Raise EC401 for numerics, input dtype or calibration method that do not exist or do not go together."""
    for what, found, known in (
        ("numerics", scheme.numerics, tuple(IO_DTYPES)),
        ("calibration", scheme.calibration, CALIBRATIONS),
        (f"input and output dtype with `{scheme.numerics}`", scheme.io_dtype, IO_DTYPES.get(scheme.numerics, ())),
    ):
        if found not in known:
            raise bad_input(
                "EC401",
                f"`{found}` is not a possible {what}",
                notes=[f"possible: {', '.join(known)}; found {found}"],
                help=did_you_mean(found, known) or (f"choose `{known[0]}`",),
            )


def configure(tf: Any, converter: Any, scheme: Scheme) -> None:
    """Set up a ``tf.lite.TFLiteConverter`` for the scheme (its representative dataset is the caller's)."""
    if scheme.numerics == "float32":
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter._experimental_disable_per_channel_quantization_for_dense_layers = scheme.per_tensor_dense
    if scheme.numerics == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if scheme.numerics in NEEDS_CALIBRATION:
        sets = tf.lite.OpsSet
        sixteen = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [sixteen if scheme.numerics == "int16x8" else sets.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, scheme.io_dtype)
