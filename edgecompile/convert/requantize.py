"""Quantize a float network that passes have changed, exactly as a Keras model is quantized on its conversion."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgecompile.convert.convert import finish, one_by_one
from edgecompile.convert.failures import explain
from edgecompile.convert.inputs import Input, checked_calibration
from edgecompile.convert.quantize import step_in
from edgecompile.convert.schemes import check, configure
from edgecompile.convert.weights_only import half_weights, integer_weights
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.recipe import Scheme
from edgecompile.ir import reader, writer
from edgecompile.ir.network import Network, Signature
from edgecompile.ir.rewrite import replace_subgraph
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class _Ends:
    name: str
    inputs: tuple[Input, ...]
    output_names: tuple[str, ...]
    recurrent: tuple[str, ...] = ()


def requantize(
    network: Network,
    scheme: Scheme,
    calibration: Sequence[Array] | None,
    name: str = "model",
    float_outputs: Sequence[str] = (),
    told: Callable[[str], None] = lambda method: None,
    lenient: bool = False,
) -> Network:
    """The float32 network in the scheme's numbers, ends in its order and by its names.

    ``calibration``: an array for each input, samples first; needed for int8 and int16x8. ``name`` is the
    model's, which opens the names of tensors and leads messages to layers. Operators that make the
    tensors ``float_outputs`` stay in float32, between DEQUANTIZE and QUANTIZE (int8 only: TensorFlow's quantizer for
    int16x8 has no such choice). ``lenient``: operators that have no integer form stay in float, too. ``told``
    hears which calibration ``auto`` took. A network as conversion to float32 gave
    it becomes what conversion to the scheme gives. Raises as ``convert.convert`` does: EC401 to EC404, EC407 to EC410,
    EC413, EC414.
    """
    check(scheme)
    if scheme.numerics == "float32":
        return network
    if scheme.numerics == "float16":
        return half_weights(network)
    if scheme.numerics == "dynamic":
        return integer_weights(network, per_tensor_dense=scheme.per_tensor_dense)
    ends = _ends(network, name)
    arrays = checked_calibration(ends.inputs, calibration, scheme.numerics)
    content = writer.write(_numbered(network))
    quantized = _quantized(content, ends, scheme, arrays, float_outputs, told, lenient)
    return reader.read(finish(quantized, ends, scheme, mixed=lenient or bool(float_outputs)), f"{name}.tflite")


def _quantized(
    content: bytes,
    ends: _Ends,
    scheme: Scheme,
    arrays: tuple[Array, ...],
    float_outputs: Sequence[str],
    told: Callable[[str], None],
    lenient: bool,
) -> bytes:
    """Through the second half of TensorFlow's converter, which takes a flatbuffer."""
    from tensorflow.lite.python import lite

    tf = tensorflow()
    converter = lite.TFLiteConverterBaseV2()
    configure(tf, converter, scheme)
    samples = one_by_one(arrays)
    converter.representative_dataset = lambda: iter(samples)
    if lenient:
        converter.target_spec.supported_ops = [*converter.target_spec.supported_ops, tf.lite.OpsSet.TFLITE_BUILTINS]
    step_in(converter, ends, scheme, samples, float_outputs, told, lenient)
    graph = tf.compat.v1.GraphDef()
    mode = lite.QuantizationMode(
        converter.optimizations, converter.target_spec, converter.representative_dataset, graph
    )
    debug = lite._build_conversion_flags(**converter._get_base_converter_args()).debug_options
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bytes(converter._optimize_tflite_model(content, mode, debug))
    except EdgecompileError:
        raise
    except Exception as error:
        raise explain(error, ends.name, scheme.numerics) from None


def _ends(network: Network, name: str) -> _Ends:
    """Inputs and outputs by the names of the signature, which are the model's; without one by those of the tensors."""
    main = network.main
    signature = next((entry for entry in network.signatures if entry.subgraph == 0), None)
    given = {index: key for key, index in signature.inputs.items()} if signature else {}
    made = _output_names(network, signature)
    return _Ends(
        name=name,
        inputs=tuple(
            Input(name=given.get(index, main.tensors[index].name), shape=main.tensors[index].shape, dtype=dtype)
            for index, dtype in ((index, main.tensors[index].dtype) for index in main.inputs)
        ),
        output_names=made,
    )


def _output_names(network: Network, signature: Signature | None) -> tuple[str, ...]:
    """One name for each output; a tensor that is given twice has two."""
    main = network.main
    keys: dict[int, list[str]] = {}
    for key, index in signature.outputs.items() if signature else ():
        keys.setdefault(index, []).append(key)
    return tuple(keys[index].pop(0) if keys.get(index) else main.tensors[index].name for index in main.outputs)


def _numbered(network: Network) -> Network:
    """The network with the signature that ``interface.restore`` expects: ``input_0``..., ``output_0``...

    Inputs stand in the order of their tensors, as the converter leaves them: TensorFlow's calibrator feeds them so.
    """
    main = network.main
    key = next((entry.key for entry in network.signatures if entry.subgraph == 0), "serving_default")
    numbered = Signature(
        key=key,
        subgraph=0,
        inputs={f"input_{place}": index for place, index in enumerate(main.inputs)},
        outputs={f"output_{place}": index for place, index in enumerate(main.outputs)},
    )
    sorted_inputs = replace(main, inputs=tuple(sorted(main.inputs)))
    return replace(replace_subgraph(network, sorted_inputs), signatures=(numbered,))
