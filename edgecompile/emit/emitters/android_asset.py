"""What an Android project takes in: the model as an asset, and a card of its inputs and outputs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgecompile.core.artifact import Artifact, describe
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.project import Preprocess
from edgecompile.emit.android.ports import check_labels
from edgecompile.emit.android.review import review_asset
from edgecompile.emit.emission import Emission
from edgecompile.ir.network import Network, Tensor

__all__ = ["NAME", "emit", "review"]
NAME = "android_asset"
SCHEMA = 1


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """What is wrong with the labels, and with the weight of the model in an app."""
    return (*check_labels(emission), *review_asset(emission))


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``assets/NAME.tflite``, to be stored uncompressed, and ``NAME.json``."""
    asset, card = f"assets/{emission.name}.tflite", f"{emission.name}.json"
    (folder / "assets").mkdir(exist_ok=True)
    (folder / asset).write_bytes(emission.content)
    (folder / card).write_text(json.dumps(_card(emission, asset), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return describe(folder, asset, "android_asset"), describe(folder, card, "android_card")


def _card(emission: Emission, asset: str) -> dict[str, Any]:
    """Everything that app code must know to feed the model and read it."""
    main, target = emission.network.main, emission.target
    return {
        "schema": SCHEMA,
        "name": emission.name,
        "asset": asset,
        "size_bytes": len(emission.content),
        "sha256": hashlib.sha256(emission.content).hexdigest(),
        "target": target.id,
        "level": target.level,
        "inputs": _ports(emission.network, main.inputs, "inputs"),
        "outputs": _ports(emission.network, main.outputs, "outputs"),
        "preprocess": _preprocess(emission.preprocess),
        "labels": list(emission.labels),
        "delegation": dict(sorted(Counter(emission.placements).items())),
        **emission.facts,
    }


def _ports(network: Network, indices: tuple[int, ...], kind: str) -> list[dict[str, Any]]:
    return [
        {"index": position, **_port(network.main.tensors[index]), "argument": _argument(network, index, kind)}
        for position, index in enumerate(indices)
    ]


def _port(tensor: Tensor) -> dict[str, Any]:
    quantization = tensor.quantization
    quantized = quantization is not None and bool(quantization.scales)
    return {
        "name": tensor.name,
        "shape": list(tensor.shape_signature or tensor.shape),
        "dtype": tensor.dtype,
        "quantization": {"scale": list(quantization.scales), "zero_point": list(quantization.zero_points)}
        if quantization is not None and quantized
        else None,
        "size_bytes": tensor.size_bytes,
    }


def _argument(network: Network, tensor: int, kind: str) -> str | None:
    """The name by which a signature knows the tensor: what `runSignature` takes."""
    for signature in network.signatures:
        names = signature.inputs if kind == "inputs" else signature.outputs
        for name, index in names.items():
            if signature.subgraph == 0 and index == tensor:
                return name
    return None


def _preprocess(preprocess: Preprocess | None) -> dict[str, Any]:
    if preprocess is None:
        return {}
    return {key: value for key, value in asdict(preprocess).items() if value not in (None, ())}
