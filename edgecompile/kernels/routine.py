"""What a kernel's Python twin is asked and what it answers, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgecompile.ir.network import Operator, Subgraph, Tensor

Array = np.ndarray[Any, Any]
Setting = int | float | str

C_TYPES: Mapping[str, str] = {
    **{name: f"{name}_t" for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")},
    "float32": "float",
    "bool": "uint8_t",
}


@dataclass(frozen=True, kw_only=True)
class Site:
    """One operator where it stands. ``rounding`` names what the reference does when it scales (see ``rounding``).

    ``forms``: in which of ``weight_forms.FORMS`` weights may be stored; ``goal`` of the choice: ``size``, ``speed`` or
    ``balanced`` (see ``weight_choice``). ``kernels``: for which instructions constants are laid out, one of
    ``core.target.KERNELS``. ``room_bytes``: of scratch for inputs that wait together, where more take fewer
    instructions; None: as much as the goal asks for.
    """

    subgraph: Subgraph
    operator: Operator
    rounding: str = "twice"
    forms: tuple[str, ...] = ("dense",)
    goal: str = "balanced"
    kernels: str = "dsp"
    room_bytes: int | None = None

    def input(self, position: int) -> Tensor | None:
        """An input, None where it is left out or beyond the end."""
        inputs = self.operator.inputs
        return self.subgraph.tensor(inputs[position]) if position < len(inputs) else None

    def given(self, position: int) -> Tensor:
        """An input that must be there."""
        return self.subgraph.tensors[self.operator.inputs[position]]

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self.subgraph.tensors[self.operator.outputs[0]]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of ``ec_<kernel>`` of ``<kernel>.h``: settings, then inputs, outputs and, if it takes any, scratch.

    ``settings``: fields of the struct ``ec_<kernel>_layer`` with literal values. ``constants``: its pointer
    fields; equal arrays are stored once. ``inputs`` and ``outputs``: tensor indices, passed as typed pointers.
    ``specialized``: the kernel is made for these settings; False where one function reads them when it runs.
    """

    kernel: str
    settings: Mapping[str, Setting]
    constants: Mapping[str, Array] = field(default_factory=dict)
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    scratch: bool = False
    specialized: bool = True


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """``over`` may begin ``distance`` or more bytes below the beginning of ``under`` (negative: above it).

    One is an output, the other an input. A kernel that goes forwards writes the output, ``over``, only behind what it
    still has to read of the input; one that goes backwards writes the output, ``under``, only beyond that.
    """

    over: int
    under: int
    distance: int


@dataclass(frozen=True, kw_only=True)
class Routine:
    """An operator in C: its calls in order, and what the memory plan may do with its tensors.

    ``aliases``: outputs that hold the very bytes of an input (``RESHAPE``). ``in_place``: pairs of output and
    input, of one size, that may be at one place but not shifted against each other. ``states``: handles of variables
    with the number of bytes that are kept, from run to run, where the handle has its place, and what each begins with.
    ``unstored``: outputs that are never there as a whole, for a later routine makes and takes them row by row.
    """

    calls: tuple[Call, ...] = ()
    scratch_bytes: int = 0
    aliases: tuple[tuple[int, int], ...] = ()
    in_place: tuple[tuple[int, int], ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    states: tuple[tuple[int, int, int], ...] = ()
    unstored: tuple[int, ...] = ()
