"""Small models with every kind of input and output that wrapper classes carry, and what runs the classes."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from emissions import target

from edgecompile.core.project import Android, Preprocess
from edgecompile.core.target import Placement
from edgecompile.emit.emission import Emission
from edgecompile.ir.network import Network, Operator, Quantization, Subgraph, Tensor
from edgecompile.libs.affine import Port

STUBS = Path(__file__).resolve().parents[1] / "android_stubs"
PACKAGE = "org.example.models"


def tensor(name: str, shape: tuple[int, ...], dtype: str, scale: float = 0.0, zero_point: int = 0) -> Tensor:
    quantization = Quantization(scales=(scale,), zero_points=(zero_point,)) if scale else None
    return Tensor(name=name, shape=shape, dtype=dtype, quantization=quantization)


def model(
    name: str,
    inputs: tuple[Tensor, ...],
    outputs: tuple[Tensor, ...],
    accelerator: str = "cpu",
    labels: tuple[str, ...] = (),
    preprocess: Preprocess | None = None,
) -> Emission:
    """A model that nobody runs: its one operator stands for all."""
    tensors = (*inputs, *outputs)
    ins, outs = tuple(range(len(inputs))), tuple(range(len(inputs), len(tensors)))
    main = Subgraph(
        name="main",
        tensors=tensors,
        operators=(Operator(name="CONV_2D", inputs=ins, outputs=outs),),
        inputs=ins,
        outputs=outs,
    )
    return Emission(
        name=name,
        network=Network(subgraphs=(main,)),
        content=b"model",
        target=dataclasses.replace(target(), placement=Placement(accelerator=accelerator)),
        labels=labels,
        preprocess=preprocess,
        android=Android(package=PACKAGE),
    )


IMAGE = tensor("serving_default_image:0", (1, 4, 4, 3), "int8", 0.02, -7)
SCORES = tensor("StatefulPartitionedCall:0", (1, 3), "int8", 0.00390625, -128)
HARD_LABELS = ('a "quoted" one', "back\\slash \\u0022", "$price ${x} é 猫 🐈 /* */ ??/")
MODELS = {
    "int8": model(
        "int8-image",
        (IMAGE,),
        (SCORES,),
        "nnapi",
        HARD_LABELS,
        Preprocess(scale=(0.0078125, 0.01, 0.02), offset=(-1.0,), resize=(4, 4)),
    ),
    "uint8": model(
        "uint8", (tensor("x:0", (1, 8), "uint8", 0.5, 128),), (tensor("y:0", (1, 8), "uint8", 0.1, 3),), "gpu"
    ),
    "int16": model("int16", (tensor("x", (1, 8), "int16", 0.001, 0),), (tensor("x", (1, 2), "int16", 0.01, 0),)),
    "float": model(
        "float",
        (tensor("x", (1, 6), "float32"),),
        (tensor("y", (1, 2), "float32"),),
        preprocess=Preprocess(scale=(0.5,)),
    ),
    "several": model(
        "Interpreter",
        (tensor("class:0", (1, 2), "int32"), tensor("state", (1, 3), "int64"), tensor("flag", (1, 2), "bool")),
        (tensor("state", (1, 3), "int64"), tensor("options", (1,), "int32"), tensor("3", (1, 2), "float32")),
    ),
}


def port(tensor: Tensor) -> Port:
    """The tensor as the runtime door describes it."""
    quantization = tensor.quantization
    return Port(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype,
        scale=quantization.scales[0] if quantization else 0.0,
        zero_point=quantization.zero_points[0] if quantization else 0,
    )


def samples(tensor: Tensor, seed: int) -> np.ndarray[Any, Any]:
    """Raw values as a caller has them: floats far out on both sides and on halves, or integers of the type."""
    generator = np.random.default_rng(seed)
    if port(tensor).quantized or tensor.dtype == "float32":
        return np.round(generator.uniform(-300, 300, tensor.shape) * 8).astype(np.float32) / 8
    return generator.integers(0, 2, tensor.shape).astype(tensor.dtype)


def stored(tensor: Tensor, seed: int) -> np.ndarray[Any, Any]:
    """Bytes that the interpreter gives for an output."""
    generator = np.random.default_rng(seed)
    if tensor.dtype == "float32":
        return generator.uniform(-1, 1, tensor.shape).astype(np.float32)
    limits = np.iinfo(tensor.dtype)
    return generator.integers(limits.min, limits.max, tensor.shape, endpoint=True).astype(tensor.dtype)


def run(argv: list[str], cwd: Path, **environment: str) -> str:
    """A program's output; it must end well."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", **environment})
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def compile_java(sources: list[Path], into: Path) -> None:
    """Compile with the stubs, as strictly as javac can, to Java 8."""
    stubs = sorted(STUBS.rglob("*.java"))
    into.mkdir(exist_ok=True)
    strict = ["-Xlint:all,-options,-serial", "-Werror", "--release", "8", "-encoding", "ascii"]
    run(["javac", *strict, "-d", str(into), *map(str, stubs), *map(str, sources)], into)


def has(program: str) -> bool:
    return shutil.which(program) is not None
