"""Conversions from 8 to 16 bits inside a network, which runtimes of phones refuse."""

from __future__ import annotations

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.target import Target
from edgecompile.ir.network import Network

_EIGHT = frozenset({"int8", "uint8"})


def refused_islands(network: Network, target: Target, model_name: str) -> tuple[Diagnostic, ...]:
    """EC511, a warning, for QUANTIZE from 8 to 16 bits where TensorFlow Lite runs what a target does not take.

    Tried with tensorflow 2.20 and tflite-runtime 2.14, which refuse the model, ai-edge-litert 2.3 and tflite-micro,
    which run it.
    """
    if target.judge == "tflite-micro":
        return ()
    main = network.main
    found = [
        index
        for index, one in enumerate(main.operators)
        if one.name == "QUANTIZE"
        and main.tensors[one.inputs[0]].dtype in _EIGHT
        and main.tensors[one.outputs[0]].dtype == "int16"
    ]
    if not found:
        return ()
    layer = main.tensors[main.operators[found[0]].outputs[0]].name
    return (
        Diagnostic(
            code="EC511",
            severity=Severity.WARNING,
            message=f"TensorFlow Lite refuses this model on `{target.id}`: it converts 8 bits to 16 inside",
            location=Location(file=model_name, operator=found[0], layer=layer),
            notes=(
                "limit: QUANTIZE from int8 gives int8 or uint8 in TensorFlow Lite up to 2.20 (quantize.cc, Prepare)",
                f"found: {len(found)} that {'gives' if len(found) == 1 else 'give'} int16",
            ),
            help=(
                "keep operators in 8 bits or in float for this target",
                "or ship LiteRT 2 with the app, which runs them",
            ),
            consequences=len(found) - 1,
        ),
    )
