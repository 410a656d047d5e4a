"""Convert a Keras model to a flatbuffer in a numeric scheme. Runs in the Keras process."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.convert import refuse
from edgecompile.convert.failures import explain
from edgecompile.convert.flatbuffer import parse, serialize
from edgecompile.convert.inputs import checked_calibration
from edgecompile.convert.interface import drop_unused_buffers, restore
from edgecompile.convert.quantize import Model, step_in
from edgecompile.convert.recurrent import align_states
from edgecompile.convert.schemes import check, configure
from edgecompile.convert.trace import Traced, trace
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.recipe import NEEDS_CALIBRATION, Scheme
from edgecompile.libs.keras import tensorflow, tf_keras

Array = np.ndarray[Any, Any]


def convert(
    model: Any,
    scheme: Scheme,
    calibration: tuple[Array, ...] | None,
    seed: int,
    told: Callable[[str], None] = lambda method: None,
) -> bytes:
    """The flatbuffer of a built ``tf_keras.Model``, batch 1, inputs and outputs in the model's order and by its names.

    ``calibration``: one array for each input, samples first; needed for int8 and int16x8, else not
    looked at. ``seed`` is for operations of the model that are random: the same seed gives the same
    bytes. What TensorFlow's converter makes is kept but for the names and order of the ends
    and the ranges of the activations where ``scheme.calibration`` is not ``minmax``; ``told`` hears which method
    ``auto`` took.

    Raises EC401 to EC404 for a scheme or calibration data that do not go with the model; EC405 to EC409 and
    EC412 to EC414 for what cannot be converted; EC410 for what the converter refuses otherwise.
    """
    check(scheme)
    tf_keras().utils.set_random_seed(seed)
    traced = trace(model)
    samples: list[dict[str, Array]] = []
    if scheme.numerics in NEEDS_CALIBRATION:
        samples = one_by_one(checked_calibration(traced.inputs, calibration, scheme.numerics))
    return finish(_run(_converter(traced, scheme, samples, told), traced, scheme), traced, scheme)


def finish(content: bytes, model: Model, scheme: Scheme, *, mixed: bool = False) -> bytes:
    """What TensorFlow made, with the model's order and names of its ends, or refused.

    ``mixed``: operators in float inside an integer network are meant to be there.
    Raises EC407, EC409, EC413, EC414.
    """
    converted = parse(content)
    refuse.state(converted, model.name)
    restore(converted, [port.name for port in model.inputs], model.output_names)
    if scheme.numerics in NEEDS_CALIBRATION:
        refuse.idle_inputs(converted, scheme.numerics)
        if not mixed:
            refuse.converted_inside(converted, model.name, scheme.numerics, scheme.io_dtype)
        refuse.endless_scales(converted, model.name)
    align_states(converted)
    drop_unused_buffers(converted)
    return serialize(converted)


def one_by_one(arrays: Sequence[Array]) -> list[dict[str, Array]]:
    """One dictionary for each sample, by the names that the traced function takes; the batch is 1."""
    count = len(arrays[0])
    return [
        {f"input_{place}": array[index : index + 1] for place, array in enumerate(arrays)} for index in range(count)
    ]


def _converter(
    traced: Traced, scheme: Scheme, samples: Sequence[Mapping[str, Array]], told: Callable[[str], None]
) -> Any:
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.function], traced.holder)
    configure(tf, converter, scheme)
    if samples:
        converter.representative_dataset = lambda: iter(samples)
        step_in(converter, traced, scheme, samples, told=told)
    return converter


def _run(converter: Any, traced: Traced, scheme: Scheme) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bytes(converter.convert())
    except EdgecompileError:
        raise
    except Exception as error:
        raise explain(error, traced.name, scheme.numerics) from None
