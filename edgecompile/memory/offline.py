"""Hand the plan to TensorFlow Lite Micro, whose own planner would need more: offsets as metadata of the file.

The interpreter reads a metadata entry ``OfflineMemoryAllocation``: int32 version (1), subgraph (0), number of
tensors, and for each tensor its offset in the arena or -1 for "plan it yourself". Other runtimes ignore it.
Source: tensorflow/tflite-micro, tensorflow/lite/micro/docs/memory_management.md, and micro_allocation_info.cc.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.ir.network import Buffer, Network
from edgecompile.memory.arena import MemoryPlan, arrange, greedy_bytes
from edgecompile.memory.lifetimes import Timeline, timeline_of

NAME = "OfflineMemoryAllocation"
_ALIGNMENT = 16
_VERSION = 1
_PLAN_YOURSELF = -1


def attach(network: Network) -> Network:
    """The network with a plan in its metadata where that saves RAM; else the very network.

    Variables are left out of this plan: the interpreter keeps them outside the planned part of the arena. Scratch
    memory of kernels is laid by the interpreter around the tensors, as without a plan. Nothing is attached when
    the interpreter's own planner needs no more; when the network brings a plan along (its maker knew why); with
    several subgraphs (the interpreter takes one list for all of them); or with custom operators, whose scratch
    memory we know nothing of.
    """
    custom = any(operator.name == "CUSTOM" for operator in network.main.operators)
    if len(network.subgraphs) != 1 or NAME in network.metadata or custom:
        return network
    timeline = _without_variables(network)
    plan = arrange(timeline, _ALIGNMENT)
    if plan.arena_bytes >= greedy_bytes(timeline, _ALIGNMENT):
        return network
    return replace(network, metadata={**network.metadata, NAME: Buffer(_entry(plan, len(network.main.tensors)))})


def _without_variables(network: Network) -> Timeline:
    timeline, tensors = timeline_of(network), network.main.tensors
    kept = tuple(life for life in timeline.lifetimes if not tensors[life.tensor].is_variable)
    return replace(timeline, lifetimes=kept)


def _entry(plan: MemoryPlan, tensors: int) -> bytes:
    offsets = np.full(tensors, _PLAN_YOURSELF, dtype="<i4")
    for allocation in plan.allocations:
        offsets[allocation.tensor] = allocation.offset
    return np.array([_VERSION, 0, tensors], dtype="<i4").tobytes() + offsets.tobytes()
