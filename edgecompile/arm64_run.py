"""Run a built model on an emulated ARM64 processor and on this one, and hold the answers against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.errors import RejectedError
from edgecompile.core.progress import Progress
from edgecompile.core.units import counted
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.libs import litert
from edgecompile.libs.arm64 import invoke_arm64
from edgecompile.libs.arm64_setup import RUNTIMES, ready
from edgecompile.libs.libraries import missing_library
from edgecompile.lowering import Array, noise_for
from edgecompile.verify.arm64 import Compared, compare, differs

_NOISE_SAMPLES = 8
_RESOLVERS = ("reference", "default")
_INTEGER = ("int8", "uint8", "int16", "int32", "int64", "bool")


@dataclass(frozen=True, kw_only=True, eq=False)
class Arm64Run:
    """``outputs`` of the default kernels on ARM64, which an app gets; ``found`` by resolver: held ``against`` these."""

    outputs: litert.Outputs
    found: dict[str, tuple[Compared, ...]]
    against: str
    on_noise: bool

    @property
    def lines(self) -> list[str]:
        """The verdicts in words."""
        what = f"{counted(self.outputs.samples, 'sample')}{' of noise' if self.on_noise else ''}"
        return [
            f"{resolver} kernels, ARM64 against x86, {what}: {', '.join(map(str, found))}"
            for resolver, found in self.found.items()
        ]


def run_arm64(
    content: bytes, inputs: Sequence[Array] | None, cache: Path, progress: Progress, name: str, seed: int = 0
) -> Arm64Run:
    """Both kinds of kernels, there and here; without ``inputs`` on seeded noise.

    Raises EC191, EC770 when ARM64 cannot be run here, EC190 without an interpreter for this machine, EC772, EC773.
    """
    arm64 = ready(cache)
    network = read(content, name)
    given, real = (inputs, False) if inputs is not None else (noise_for(network, seed, _NOISE_SAMPLES), True)
    runtime, here = _here(content, given, real, name)
    found: dict[str, tuple[Compared, ...]] = {}
    for resolver, expected in here.items():
        progress.begin("arm64", f"{name}, {resolver} kernels")
        there = invoke_arm64(content, given, arm64=arm64, runtime=runtime, resolver=resolver, real=real, name=name)
        exact = resolver == "reference" and _all_integer(network)
        found[resolver] = compare(expected, there, exact=exact)
        progress.end(", ".join(map(str, found[resolver])))
        if not all(one.holds for one in found[resolver]):
            raise differs(found[resolver], expected, there, name)
    return Arm64Run(outputs=there, found=found, against=here["default"].described, on_noise=inputs is None)


def _here(content: bytes, given: Sequence[Array], real: bool, name: str) -> tuple[str, dict[str, litert.Outputs]]:
    """This machine's answers by resolver, of the first interpreter that takes the model and is set up for ARM64 too.

    One library is held against itself; an old one may lack what the model needs.
    """
    known = {runtime.name: runtime for runtime in litert.runtimes()}
    usable = [known[name] for name in RUNTIMES if known[name].available]
    if not usable:
        why = known["ai-edge-litert"].why_not
        raise missing_library("ai-edge-litert", "to compare with ARM64", "ai-edge-litert", why)
    for runtime in usable:
        try:
            return runtime.name, {
                resolver: litert.invoke(content, given, runtime=runtime, resolver=resolver, real=real, name=name)
                for resolver in _RESOLVERS
            }
        except RejectedError:
            if runtime is usable[-1]:
                raise
    raise AssertionError("no interpreter was asked")


def _all_integer(network: Network) -> bool:
    """No tensor that is computed holds floats."""
    return all(
        subgraph.tensors[index].dtype in _INTEGER
        for subgraph in network.subgraphs
        for operator in subgraph.operators
        for index in operator.outputs
        if operator.name not in ("QUANTIZE", "DEQUANTIZE")
    )
