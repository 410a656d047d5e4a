"""What to do about a refusal, where the model tells more than the rule does: older numbers, indices, text, sound."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgecompile.ir.network import Subgraph, Tensor
from edgecompile.legalize.context import Context, is_open

# Rules on the element types that an operator computes with.
_OF_TYPES = ("dtypes", "activation_dtypes", "computes_in", "output_dtypes")
_INDICES = ("int32", "int64", "uint32", "bool")
_SOUND = re.compile(r"^Signal[A-Z]|spectrogram|mfcc|fft", re.IGNORECASE)
_TEXT = re.compile(r"tokeniz|sentencepiece|ngram|hashtable|skip_gram|lsh_projection|unicode|string", re.IGNORECASE)

OLDER = "`uint8` inside of a model is from before TensorFlow 2: convert the Keras model anew, with `--numerics int8`"
INDICES = (
    "shapes, indices and masks are no matter for a quantizer: with fixed input shapes the converter computes most of "
    "them, and what is left goes before or behind the model"
)
CAST = "leave the cast out: give the model an input of the type behind it, and convert samples before the model"
SOUND = (
    "the model computes features of sound: take them out, and name them under `[data.features]`, which computes them "
    "before the model, in Python and in C"
)
TEXT = "the model takes text apart: do that before it, and give it the numbers of tokens, int32 and of a fixed length"


def of_type(context: Context, rule: str, found: str) -> str | None:
    """In place of the rule's own help, which thinks of a model yet to be quantized; None where that is right."""
    name = context.operator.name
    if rule not in _OF_TYPES or name == "DEQUANTIZE":
        return None
    if name == "CAST" and context.operator.inputs[:1] and context.operator.inputs[0] in context.subgraph.inputs:
        return CAST
    if found == "uint8" and name != "CAST":
        return OLDER
    # Other layers can be asked for another type of their result, as the rule's help says.
    asked = rule == "output_dtypes" and name not in ("QUANTIZE", "CAST")
    return INDICES if found in _INDICES and name != "QUANTIZE" and not asked else None


def of_domain(context: Context) -> tuple[str, ...]:
    """For operators that take text or sound apart, and those that compute indices beside them."""
    if not (_takes(context.operator.label, context.activations) or _is_beside(context.activations)):
        return ()
    names, tensors = [one.label for one in context.subgraph.operators], context.subgraph.tensors
    if any(_SOUND.search(name) for name in names):
        return (SOUND,)
    if any(_TEXT.search(name) for name in names) or any(tensor.dtype == "string" for tensor in tensors):
        return (TEXT,)
    return ()


def of_open_shape(subgraph: Subgraph) -> tuple[str, ...]:
    """Which input to give a shape; or, where all have one, the operator whose result has none before it runs."""
    inputs = [subgraph.tensors[index] for index in subgraph.inputs]
    if opened := [tensor for tensor in inputs if is_open(tensor)]:
        return (
            f"give the model's input a fixed shape, as in `keras.Input(shape=..., batch_size=1)`: {_named(opened)}",
        )
    if opened := [tensor for tensor in inputs if tensor.is_dynamic]:
        return (f"give the model's input a batch size too, `keras.Input(..., batch_size=1)`: {_named(opened)}",)
    for index, operator in enumerate(subgraph.operators):
        if any(is_open(tensor) for tensor in subgraph.outputs_of(operator)):
            where = f"what `{operator.label}` (operator {index}) gives has a size that is only known when it has run"
            return (f"the inputs have fixed shapes, but {where}: keep a fixed number of values, or do this elsewhere",)
    return ()


def _named(tensors: Sequence[Tensor]) -> str:
    return ", ".join(f"`{tensor.name}` is {tensor}" if tensor.name else f"it is {tensor}" for tensor in tensors)


def _takes(label: str, activations: Sequence[Tensor]) -> bool:
    return bool(_SOUND.search(label) or _TEXT.search(label)) or any(one.dtype == "string" for one in activations)


def _is_beside(activations: Sequence[Tensor]) -> bool:
    """Neither floats nor integers that stand for them: samples of sound, tokens, indices."""
    return not any("float" in one.dtype or (one.quantization and one.quantization.scales) for one in activations)
