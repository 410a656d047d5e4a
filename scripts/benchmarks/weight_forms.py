"""Weights as recipes make them: instructions and bytes of each form beside dense ones, on an emulated Cortex-M4."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data_folder, edgecompile, measures, table

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Buffer, Network
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.kernels.weight_forms import DENSE, FORMS, blocks_of

BOARD = "qemu-m4"
RESNET = "cortexm/pretrainedResnet_quant.tflite"
# What the forms are held to: instructions and bytes over those of the same weights stored one by one.
LIMITS = {"shared4": (1.1, 0.51), "block2x2": (0.8, 0.6)}
HELD = ("1x1 64 -> 64", "ResNet-8")
NONE = (float("inf"), float("inf"))
_HEAD = ("model", "form", "instructions", "weight bytes", "RAM", "ratio of instructions", "ratio of bytes", "exact")


def main() -> int:
    """Print a table, or one JSON object; exit 1 where a build fails or a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--optimize", choices=("balanced", "size", "speed"), default="balanced")
    parser.add_argument("--sparsity", type=float, default=0.5, help="share of 2x2 blocks that are 0")
    parser.add_argument("--board", default=BOARD)
    parser.add_argument("--model", choices=tuple(models()), action="append", help="one of them  [default: all]")
    parser.add_argument("--form", choices=FORMS[1:], action="append", help="one of them  [default: all]")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [
        row
        for name, make in models().items()
        if name in (asked.model or models())
        for row in rows_of(name, make(), asked)
    ]
    print(json.dumps({"schema": 1, "rows": rows}, indent=1) if asked.json else text(rows))
    return 0 if all(row["exact"] and row["within"] for row in rows) else 1


def models() -> dict[str, Callable[[], Network]]:
    """A pointwise convolution and a dense layer by themselves, and a whole network."""
    return {
        "1x1 64 -> 64": pointwise,
        "dense 640 -> 128": dense_layer,
        "ResNet-8": lambda: read((data_folder() / RESNET).read_bytes(), "resnet.tflite"),
    }


def pointwise() -> Network:
    """1x1, 64 to 64 channels, over 25x5 pixels."""
    draw, build = np.random.default_rng(0), NetworkBuilder()
    x = build.input("x", (1, 25, 5, 64), "int8", scale=0.05, zero_point=-7)
    weights = np.clip(np.round(draw.normal(0, 40, (64, 1, 1, 64))), -127, 127).astype(np.int8)
    w = build.constant("w", weights, scale=draw.uniform(0.001, 0.01, 64).tolist(), axis=0)
    y = build.tensor("y", (1, 25, 5, 64), "int8", scale=0.4, zero_point=5)
    build.op("CONV_2D", [x, w], [y])
    return build.output(y).build()


def dense_layer() -> Network:
    """640 inputs to 128 outputs."""
    draw, build = np.random.default_rng(1), NetworkBuilder()
    x = build.input("x", (1, 640), "int8", scale=0.05, zero_point=-7)
    weights = np.clip(np.round(draw.normal(0, 40, (128, 640))), -127, 127).astype(np.int8)
    w = build.constant("w", weights, scale=[0.005])
    y = build.tensor("y", (1, 128), "int8", scale=1.0, zero_point=5)
    build.op("FULLY_CONNECTED", [x, w], [y])
    return build.output(y).build()


def rows_of(name: str, network: Network, asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row for each form: the same weights stored in it, and one by one."""
    for form in asked.form or FORMS[1:]:
        if not asked.json:
            print(f"{name}, {form} ...", file=sys.stderr)
        model = write(with_weights(network, form, asked.sparsity))
        dense, own = (figures(model, (one,), asked) for one in (DENSE, form))
        ratios = (own["instructions"] / dense["instructions"], own["weight_bytes"] / dense["weight_bytes"])
        held = asked.sparsity == 0.5 and name in HELD
        limits = LIMITS.get(form, NONE) if held else NONE
        yield {
            "model": name,
            "form": form,
            **{f"dense_{key}": value for key, value in dense.items()},
            **own,
            "ratio_instructions": round(ratios[0], 4),
            "ratio_bytes": round(ratios[1], 4),
            "exact": dense["exact"] and own["exact"],
            "within": ratios[0] <= limits[0] and ratios[1] <= limits[1],
        }


def with_weights(network: Network, form: str, sparsity: float) -> Network:
    """The network with the weights of its convolutions and dense layers shared, pruned, or both."""
    main = network.main
    tensors = list(main.tensors)
    for operator in main.operators:
        if operator.name in ("CONV_2D", "FULLY_CONNECTED"):
            tensor = tensors[operator.inputs[1]]
            assert tensor.array is not None
            codes = made(tensor.array, form, sparsity)
            tensors[operator.inputs[1]] = replace(tensor, buffer=Buffer(codes.tobytes()))
    return replace(network, subgraphs=(replace(main, tensors=tuple(tensors)),), metadata={}, buffers=())


def made(codes: np.ndarray[Any, Any], form: str, sparsity: float) -> np.ndarray[Any, Any]:
    """int8 codes with the smallest blocks 0, and the others rounded to so many values as the form has."""
    kept = np.ones(codes.shape, bool)
    if form.startswith("block"):
        blocks = np.abs(blocks_of(codes).astype(int)).sum(axis=(2, 3))
        order = np.argsort(blocks.reshape(-1), kind="stable")
        mask = np.ones(blocks.size, bool)
        mask[order[: round(sparsity * blocks.size)]] = False
        kept = _spread(mask.reshape(blocks.shape), codes)
    values = {"shared4": 16, "shared2": 4, "block2x2_shared4": 16}.get(form)
    if values is not None:
        centroids = np.unique(np.round(np.quantile(codes[kept], (np.arange(values) + 0.5) / values)).astype(int))
        nearest = np.abs(codes.astype(int)[..., None] - centroids).argmin(axis=-1)
        codes = centroids[nearest].astype(np.int8)
    return np.where(kept, codes, 0).astype(np.int8)


def _spread(mask: np.ndarray[Any, Any], codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A bit for each block as a bit for each code."""
    half = -(-codes.shape[-1] // 2)
    wide = mask.reshape(len(mask), -1, half).repeat(2, axis=0).repeat(2, axis=2)
    return wide[: len(codes), :, : codes.shape[-1]].reshape(codes.shape)


def figures(model: bytes, forms: tuple[str, ...], asked: argparse.Namespace) -> dict[str, Any]:
    """What a build for a board says whose C library reads these forms."""
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made_in:
        folder = Path(made_in)
        (folder / "model.tflite").write_bytes(model)
        profile = f'schema = 1\nextends = "{asked.board}"\nname = "board"\nweight_forms = {json.dumps(list(forms))}\n'
        (folder / "board.toml").write_text(profile)
        _, answer, said = edgecompile(
            "build", folder / "model.tflite", "--target", folder / "board.toml", "--output", folder / "out",
            "--optimize", asked.optimize,
        )  # fmt: skip
        report = (answer.get("reports") or [answer])[0]
        found = measures(report) if "measures" in report else {}
        if "instructions" not in found:
            sys.exit(f"no image was built: {said}")
        details = report["details"]
    stored = details.get("weights of the C library") or []
    return {
        "instructions": found["instructions"],
        "weight_bytes": sum(layer["bytes"] for layer in stored) or dense_bytes(model),
        "ram_bytes": found["ram_bytes"] - (found["stack_bytes"] or 0),
        "flash_bytes": found["flash_bytes"],
        "exact": "bit for bit" in str(details.get("verification on the emulated board")),
    }


def dense_bytes(model: bytes) -> int:
    """Of a network whose weights are stored one by one, about which a report has nothing to say."""
    from edgecompile.kernels.program import compile_network
    from edgecompile.kernels.stored import stored_weights

    return sum(one.stored_bytes for one in stored_weights(compile_network(read(model, "model.tflite"))))


def text(rows: list[dict[str, Any]]) -> str:
    """Dense and other form of the same weights, one under the other."""
    lines: list[tuple[str, ...]] = [_HEAD]
    for row in rows:
        keys = ("instructions", "weight_bytes", "ram_bytes")
        lines.append((row["model"], DENSE, *(f"{row[f'dense_{key}']:,}" for key in keys), "", "", ""))
        ratios = (f"{row['ratio_instructions']:.3f}", f"{row['ratio_bytes']:.3f}")
        lines.append(("", row["form"], *(f"{row[key]:,}" for key in keys), *ratios, str(row["exact"]).lower()))
    return table(lines)


if __name__ == "__main__":
    sys.exit(main())
