"""Readers of flatbuffers: TFLite models, packages of compiled Edge TPU models, metadata of models."""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Sequence

import numpy as np
from _fuzz_mutate import of_bytes, of_objects, of_sites
from _fuzz_sites import Site, by_schema, by_shape
from _shared import CHECKOUT

from edgecompile.core.errors import EdgecompileError
from edgecompile.ir import compiled, costs, model_metadata, sparse, text
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.decode import decode
from edgecompile.ir.describe import describe
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.libs import flat_tables
from edgecompile.libs.schema import builder

sys.path.insert(0, str(CHECKOUT / "tests" / "ir"))
import compiled_packages

CORPUS = CHECKOUT / "tests" / "ir" / "corpus"
_MOST_BASES = 300
_OBJECTS_EVERY = 60
Base = tuple[bytes, Sequence[Site]]


class Flatbuffers:
    """TFLite models: read, and what is accepted also looked at as `inspect` does, written and read again."""

    name = "tflite reader"
    slow = False

    def __init__(self) -> None:
        self.bases: list[Base] = []
        self.first = self.made = 0
        for content in seeds():
            self.learn(content)
        self.first = len(self.bases)

    def make(self, draw: random.Random) -> bytes:
        """Sites of a base changed; now and then a new base is made by changing objects."""
        self.made += 1
        if self.made % _OBJECTS_EVERY == 0:
            self.learn(with_other_objects(draw, draw.choice(self.bases)[0]))
        content, sites = draw.choice(self.bases)
        return of_sites(draw, content, sites)

    def use(self, content: bytes) -> None:
        """Read it; look at all of an accepted network; write it and read it again."""
        network = read(content, "model.tflite")
        look_at(network)
        read(write(network), "again.tflite")

    def learn(self, content: bytes) -> None:
        """A base for what follows, where it can be walked; some earlier one goes."""
        try:
            base = (content, by_schema(content))
        except (EdgecompileError, AttributeError, TypeError, ValueError, struct.error):
            return
        if not base[1]:
            return
        if len(self.bases) < _MOST_BASES:
            self.bases.append(base)
        else:
            self.bases[self.first + self.made % (_MOST_BASES - self.first)] = base


def look_at(network: Network) -> None:
    """All that the compiler asks of a network before it judges it, and what `inspect` shows of it."""
    packages = compiled.packages_of(network)
    text.text(network, None, packages)
    json.dumps(describe(network, None, packages), allow_nan=False)
    costs.totals(network)
    model_metadata.told(model_metadata.read_metadata(network))
    for subgraph in network.subgraphs:
        for tensor in subgraph.tensors:
            str(tensor), tensor.size_bytes, tensor.array, sparse.values_of(tensor)


class Packages:
    """The packages of compiled operators: a FlexBuffer around flatbuffers whose schema only we know."""

    name = "compiled Edge TPU reader"
    slow = False

    def __init__(self) -> None:
        programs = [
            compiled_packages.executable(1, b"p" * 64, inputs=("image",)),
            compiled_packages.executable(2, b"", inputs=("a", "b")),
        ]
        contents = [compiled_packages.package(programs[:1]), compiled_packages.package(programs), b"DWN1"]
        self.bases = [(content, by_shape(content) if len(content) > 8 else ()) for content in contents]
        self.whole = [compiled_packages.options(content) for content, _ in self.bases]

    def make(self, draw: random.Random) -> bytes:
        """The package changed inside, or the map around it."""
        content, sites = draw.choice(self.bases)
        if sites and draw.random() < 0.7:
            return compiled_packages.options(of_sites(draw, content, sites))
        return of_bytes(draw, draw.choice(self.whole), self.whole)

    def use(self, content: bytes) -> None:
        """Read what `inspect` shows of it."""
        compiled.packages_of(compiled_packages.model(content), "model.tflite")

    def learn(self, content: bytes) -> None:
        """A base for what follows."""
        if len(self.whole) < _MOST_BASES:
            self.whole.append(content)


class Metadata:
    """TFLite metadata, by a schema that is data of ours."""

    name = "model metadata reader"
    slow = False

    def __init__(self) -> None:
        tensor = {
            "name": "image",
            "content": {"content_properties": ("ImageProperties", {"color_space": 1})},
            "process_units": [{"options": ("NormalizationOptions", {"mean": [127.5], "std": [127.5]})}],
            "associated_files": [{"name": "labels.txt", "type": 3}],
            "stats": {"max": [1.0], "min": [0.0]},
        }
        plain = {"name": "net", "subgraph_metadata": [{"input_tensor_metadata": [tensor, tensor]}], "author": "me"}
        content = flat_tables.write(model_metadata.SCHEMA, plain)
        self.bases: list[Base] = [(content, by_shape(content))]

    def make(self, draw: random.Random) -> bytes:
        """Sites changed."""
        return of_sites(draw, *draw.choice(self.bases))

    def use(self, content: bytes) -> None:
        """Read and told; what cannot be read is None, never an exception."""
        try:
            found = flat_tables.read(model_metadata.SCHEMA, content)
        except ValueError:
            return
        model_metadata.told(found)

    def learn(self, content: bytes) -> None:
        """A base for what follows."""


def seeds() -> list[bytes]:
    """Small models of many kinds, and what was found worth keeping in the tests' corpus."""
    made = [write(network) for network in (_dense(), _convolution(), _sparse(), _called(), _custom(), _odd_types())]
    return made + [path.read_bytes() for path in sorted(CORPUS.glob("*.tflite"))]


def _dense() -> Network:
    build = NetworkBuilder("main", "seed")
    x = build.input("x", (1, 4), "int8", scale=0.5, zero_point=3)
    w = build.constant("w", np.arange(8).reshape(2, 4), "int8", scale=[0.1, 0.2])
    b = build.constant("b", np.zeros(2), "int32", scale=0.05)
    y = build.tensor("y", (1, 2), "int8", scale=0.25)
    build.op("FULLY_CONNECTED", [x, w, b], [y], fused_activation_function="RELU")
    build.signature("serve")
    return build.output(y).build()


def _convolution() -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 4, 4, 1), "float32")
    w = build.constant("w", np.ones((2, 3, 3, 1)), "float32")
    y = build.tensor("y", (1, 4, 4, 2), "float32")
    z = build.tensor("z", (1, 32), "float32")
    shape = build.constant("s", np.array([1, -1]), "int32")
    build.op("CONV_2D", [x, w, -1], [y], padding="SAME", stride_w=1, stride_h=1)
    build.op("RESHAPE", [y, shape], [z], new_shape=[1, -1])
    return build.output(z).build()


def _sparse() -> Network:
    from dataclasses import replace

    build = NetworkBuilder()
    x = build.input("x", (1, 8), "float32")
    w = build.constant("w", np.diag(np.ones(8)), "float32")
    d = build.tensor("d", (8, 8), "float32")
    y = build.tensor("y", (1, 8), "float32")
    build.op("DENSIFY", [w], [d])
    build.op("FULLY_CONNECTED", [x, d, -1], [y])
    network = build.output(y).build()
    tensors = list(network.main.tensors)
    tensors[w] = sparse.compressed(tensors[w])
    return replace(network, subgraphs=(replace(network.main, tensors=tuple(tensors)),))


def _called() -> Network:
    from dataclasses import replace

    build = NetworkBuilder()
    x = build.input("x", (1,), "float32")
    y = build.tensor("y", (1,), "float32")
    build.op("CALL_ONCE", [], [], init_subgraph_index=1)
    build.op("ABS", [x], [y])
    main = build.output(y).build()
    inner = NetworkBuilder("init")
    a = inner.input("a", (1,), "float32")
    b = inner.tensor("b", (1,), "float32")
    inner.op("NEG", [a], [b])
    return replace(main, subgraphs=(*main.subgraphs, inner.output(b).build().main))


def _custom() -> Network:
    package = compiled_packages.package([compiled_packages.executable(1, b"p" * 8, b"\0" * 4, ("x",))])
    return compiled_packages.model(compiled_packages.options(package))


def _odd_types() -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int16", scale=1e-4)
    w = build.constant("w", np.arange(-4, 4).reshape(2, 4), "int4", scale=[0.1, 0.2])
    y = build.tensor("y", (1, 2), "int16", scale=1e-4)
    build.op("FULLY_CONNECTED", [x, w, -1], [y], version=4)
    return build.output(y).build()


def with_other_objects(draw: random.Random, content: bytes) -> bytes:
    """Objects of a model changed, packed as the schema's own library packs them; the same where it cannot."""
    try:
        root = decode(content, "Model", "seed").root
        of_objects(draw, root)
        into = builder(len(content) + 256)
        into.Finish(root.Pack(into), file_identifier=b"TFL3")
        return bytes(into.Output())
    except Exception:  # values that do not fit their fields: the library says so in many ways
        return content
