"""What an Edge TPU's compiler left in a model: the packages of its custom operators, read without its library.

A custom operator's options are a FlexBuffer map whose entry ``4`` is a package, a flatbuffer marked ``DWN1``; in it is
a list of executables. Field numbers: ``executable.fbs`` of libedgetpu, checked against 290 compiled models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.ir.flexbuffer import read_map
from edgecompile.ir.network import Network
from edgecompile.ir.spelling import printable
from edgecompile.ir.tables import DamagedError, Table, root

CUSTOM_CODE = "edgetpu-custom-op"
_MARK = b"DWN1"
_PACKAGE = "4"
_KINDS = ("stand-alone", "parameter caching", "execution only")
# Of libedgetpu's DataType; those that no compiled model shows are called by their number.
_DTYPES = {0: "uint8", 1: "uint16", 2: "int32", 3: "bfloat16", 4: "float16", 5: "float32", 8: "int8", 9: "int16"}
_MOST_EXECUTABLES = 64


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input or output of the accelerator: ``shape`` is (y, x, z), ``size_bytes`` with the device's padding."""

    name: str
    size_bytes: int
    shape: tuple[int, int, int]
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True, kw_only=True)
class Executable:
    """One program of a package. ``parameters_bytes`` are cached where ``kind`` is *parameter caching*, else they are
    streamed by every invocation. ``tile_bytes`` is the activation memory it takes in each tile."""

    kind: str
    chip: str
    parameters_bytes: int
    instruction_bytes: int
    scratch_bytes: int
    tile_bytes: int
    estimated_cycles: int
    caching_token: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


@dataclass(frozen=True, kw_only=True)
class Package:
    """What one custom operator brings along; ``minimum_runtime`` is the libedgetpu runtime that it needs."""

    subgraph: int
    operator: int
    minimum_runtime: int
    compiler: str
    executables: tuple[Executable, ...]

    @property
    def cached_bytes(self) -> int:
        """Parameters that stay on the device."""
        return sum(one.parameters_bytes for one in self.executables if one.kind == _KINDS[1])

    @property
    def streamed_bytes(self) -> int:
        """Parameters that every invocation sends."""
        return sum(one.parameters_bytes for one in self.executables if one.kind != _KINDS[1])


def is_compiled(network: Network) -> bool:
    """Some operator is a compiled one."""
    return any(True for _ in _compiled(network))


def packages_of(network: Network, name: str = "the model") -> tuple[Package, ...]:
    """The packages of all compiled operators, in order.

    Raises BadInputError: EC553 for options that are no map with a package in it, EC554 for a package or an executable
    that is damaged or cut off.
    """
    return tuple(_package(content, place, name) for content, place in _compiled(network))


def refuse_compiled(network: Network, name: str) -> None:
    """Raise EC555 where the model was compiled before: there is nothing left in it that could be compiled."""
    place = next((place for _, place in _compiled(network)), None)
    if place is None:
        return
    raise bad_input(
        "EC555",
        f"`{name}` is compiled already",
        Location(file=name, operator=place[1]),
        notes=(f"it holds a custom operator `{CUSTOM_CODE}`, which is machine code for an Edge TPU",),
        help=(
            f"`edgecompile inspect {name}` shows what is in it",
            "build from the model that it was compiled from: the Keras model, or the .tflite without `_edgetpu`",
        ),
    )


def _compiled(network: Network) -> Iterator[tuple[bytes, tuple[int, int]]]:
    for number, subgraph in enumerate(network.subgraphs):
        for index, operator in enumerate(subgraph.operators):
            if operator.custom_code == CUSTOM_CODE:
                yield operator.custom_options, (number, index)


def _package(content: bytes, place: tuple[int, int], name: str) -> Package:
    try:
        options = read_map(memoryview(content))
    except DamagedError as error:
        raise _damaged(
            "EC553", "the options of the compiled operator cannot be read", place, name, str(error)
        ) from None
    package = options.get(_PACKAGE)
    if not isinstance(package, memoryview):
        names = [f"`{printable(key[:40])}`" for key in sorted(options)[:8]]
        found = f"the map has {', '.join(names) or 'no entries'}"
        raise _damaged("EC553", f"the compiled operator has no package (entry `{_PACKAGE}`)", place, name, found)
    try:
        return _read(package, place)
    except DamagedError as error:
        raise _damaged("EC554", "the package of the compiled operator is damaged", place, name, str(error)) from None


def _damaged(code: str, message: str, place: tuple[int, int], name: str, found: str) -> EdgecompileError:
    return bad_input(
        code,
        message,
        Location(file=name, operator=place[1], detail=f"subgraph {place[0]}" if place[0] else None),
        notes=(found,),
        help=("copy or download the model again and compare its size with the original, or compile it again",),
    )


def _read(content: memoryview, place: tuple[int, int]) -> Package:
    package = root(content, _MARK)
    programs = root(package.content(1)).contents(0)
    if len(programs) > _MOST_EXECUTABLES:
        raise DamagedError(f"{len(programs)} executables, where no compiler writes more than {_MOST_EXECUTABLES}")
    return Package(
        subgraph=place[0],
        operator=place[1],
        minimum_runtime=package.integer(0),
        compiler=package.text(4),
        executables=tuple(_executable(root(program)) for program in programs),
    )


def _executable(table: Table) -> Executable:
    kind = table.integer(13, "h")
    if not 0 <= kind < len(_KINDS):
        raise DamagedError(f"an executable of type {kind}, which is not known")
    return Executable(
        kind=_KINDS[kind],
        chip=table.text(10),
        parameters_bytes=len(table.content(6)),
        instruction_bytes=sum(len(stream.content(0)) for stream in table.tables(5)),
        scratch_bytes=table.integer(4),
        tile_bytes=table.integer(12),
        estimated_cycles=table.integer(11) or table.integer(16, "q"),
        caching_token=table.integer(14, "Q"),
        inputs=tuple(_port(layer) for layer in table.tables(8)),
        outputs=tuple(_port(layer) for layer in table.tables(9)),
    )


def _port(layer: Table) -> Port:
    numerics, dtype = layer.table(5), layer.integer(6, "h")
    return Port(
        name=layer.text(0),
        size_bytes=layer.integer(1),
        shape=(layer.integer(2), layer.integer(3), layer.integer(4)),
        dtype=_DTYPES.get(dtype, f"type {dtype}"),
        scale=numerics.real(1) if numerics is not None else 0.0,
        zero_point=numerics.integer(0) if numerics is not None else 0,
    )
