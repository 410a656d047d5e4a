"""What a device can do, as data read from ``targets/*.toml``; no behaviour beyond look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# In which forms C kernels can store int8 weights (``kernels/weight_forms.py`` says what each is).
WEIGHT_FORMS = ("dense", "shared4", "shared2", "block2x2", "block2x2_shared4")
# For which instructions C kernels lay out their constants; all of them compute the same on every core.
KERNELS = ("dsp", "helium")
DSP, HELIUM = KERNELS


@dataclass(frozen=True, kw_only=True)
class Region:
    """One memory of a device. ``kind`` is ``flash`` or ``ram``; ``source`` documents the size."""

    name: str
    kind: str
    size_bytes: int
    start: int | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One way in which an operator is accepted: it is legal when every rule holds.

    ``rules`` maps a function of ``legalize/rules.py`` to its limit. ``basis`` says how the
    clause is known: ``documented``, ``observed`` or ``fitted``.
    """

    rules: Mapping[str, Any]
    source: str
    basis: str = "documented"


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where operators go. ``fallback`` None: an operator without a clause is an error;
    else the processor that runs it (``cpu``). ``max_partitions`` None: no limit. ``proof`` names the real delegate of
    ``libs/delegates`` that can be asked on this machine whether the profile's rules are right; it does not test the
    rules ``proof_without``."""

    accelerator: str
    fallback: str | None = None
    max_partitions: int | None = None
    keep: str = "largest"
    proof: str | None = None
    proof_without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What executes the model on the device and what it costs beside the model itself.

    RAM is ``ram_bytes``, and ``ram_bytes_per_operator`` for each operator, and ``ram_bytes_per_channel`` for
    each output channel of an integer convolution or per-channel quantized dense layer (its multiplier and shift).
    ``obeys_plan``: it places tensors where the file's ``OfflineMemoryAllocation`` metadata says.
    """

    name: str
    flash_bytes: int = 0
    ram_bytes: int = 0
    ram_bytes_per_operator: int = 0
    ram_bytes_per_channel: int = 0
    obeys_plan: bool = False
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Statuses:
    """What the target's own compiler calls the fate of an operator, in its exact words.

    ``mapped``, ``cut_off`` (supported, but outside of the partitions that are kept), ``absent`` (no clause names it),
    ``otherwise`` (a rule that has no words of its own). ``rules`` has the words for a rule that fails, ``operators``
    those of one operator. ``first`` are rules with their limits that come before all others, and before the question
    whether the operator is known. ``whole`` has its words for taking nothing of a model: by rule, under ``none`` where
    no operator keeps it, under ``any`` where one breaks it, and under ``read`` where one breaks it and the file is not
    even read; ``{operator}`` and ``{version}`` stand for the one. ``sources`` says of a rule where it is from.
    """

    mapped: str
    cut_off: str
    absent: str
    otherwise: str
    rules: Mapping[str, str] = field(default_factory=dict)
    operators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """The device's own compiler, a program that makes the emitted model into the one that the device runs.

    ``name`` is a module of ``toolchain/compilers``; ``options`` are what that module reads. ``timeout_s`` bounds a run.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: int = 300
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A device profile. Sizes in bytes; every number's source stands beside it.

    ``numerics[0]`` is the recommended scheme, the others are allowed. ``judge`` names the
    interpreter whose answer counts (``tflite-micro`` or ``tflite``). ``emit`` lists the
    emitters in order. ``level`` is the API level a rule may ask for (Android), else None. ``measure`` parameterizes
    the model of the device that its key ``model`` names, None where nothing predicts. ``rewrites`` names those of
    ``legalize/rewrites`` that make a network fit, in their order. ``also_check`` are ids of profiles of the same device
    whose verdict a report shows beside this one's. ``model_metadata``: the file tells the app about its inputs and
    outputs. ``weight_forms``: those of ``WEIGHT_FORMS`` that the device's C kernels read.
    ``kernels``: the one of ``KERNELS`` whose instructions the core has, or runs best without.
    ``recipe`` is the shipped recipe that is taken where the user names none; it trains nothing. ``trained_recipe`` is
    the one that the device gains most from where there are samples to train on, for users who leave the choice to it.
    """

    id: str
    name: str
    family: str
    description: str
    numerics: tuple[str, ...]
    io_dtype: str
    operators: Mapping[str, tuple[Clause, ...]]
    placement: Placement
    emit: tuple[str, ...]
    judge: str
    per_tensor_dense: bool = False
    level: int | None = None
    regions: tuple[Region, ...] = ()
    runtime: Runtime | None = None
    statuses: Statuses | None = None
    rewrites: tuple[str, ...] = ()
    also_check: tuple[str, ...] = ()
    model_metadata: bool = False
    weight_forms: tuple[str, ...] = ("dense",)
    kernels: str = "dsp"
    recipe: str | None = None
    trained_recipe: str | None = None
    compiler: Compiler | None = None
    measure: Mapping[str, Any] = field(default_factory=dict)
    board: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def capacity_bytes(self, kind: str) -> int | None:
        """Bytes of all regions of a kind, or None where the profile states none."""
        sizes = [region.size_bytes for region in self.regions if region.kind == kind]
        return sum(sizes) if sizes else None
