"""What emitters are given: one frozen model for one target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgecompile.core.project import Android, Preprocess
from edgecompile.core.target import Target
from edgecompile.emit.rebuild import Rebuild
from edgecompile.features.plan import Plan
from edgecompile.ir.network import Network
from edgecompile.kernels.program import Program


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the C library's tensors are in its arena: ``offsets`` by tensor, ``scratch`` by operator, in bytes."""

    arena_bytes: int
    offsets: Mapping[int, int]
    scratch: Mapping[int, int] = field(default_factory=dict)
    alignment: int = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Golden:
    """Raw inputs and outputs, samples first, for a test on the device.

    ``by`` gave the outputs; ``of`` says what the inputs are.
    """

    inputs: tuple[np.ndarray[Any, Any], ...]
    outputs: tuple[np.ndarray[Any, Any], ...]
    by: str
    of: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Emission:
    """``name`` is what files are called; ``content`` the flatbuffer, of which ``network`` is the picture.

    ``arena_bytes``: what the memory plan needs for tensors, None where there is no plan.
    ``labels``: class names in the order of the class indices. ``placements``: for each operator
    of the main subgraph the processor that runs it, empty where that was not asked.
    ``android``: the app that takes the model in. ``rebuild``: the same build for a script, None where it is not known.
    ``facts``: whatever else a card should tell, plain JSON. ``program`` and ``layout``: the network in C, None where
    some operator has no kernel or nobody asked. ``golden``: what the firmware tests itself with, None
    where nothing runs the model here. ``features``: what is computed of sound before the model, None: nothing.
    """

    name: str
    network: Network
    content: bytes
    target: Target
    arena_bytes: int | None = None
    labels: tuple[str, ...] = ()
    preprocess: Preprocess | None = None
    placements: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    android: Android = field(default_factory=Android)
    rebuild: Rebuild | None = None
    program: Program | None = None
    layout: Layout | None = None
    golden: Golden | None = None
    features: Plan | None = None
