"""The packages of a compiled model as plain JSON types, and as text of 80 columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.units import format_size, group
from edgecompile.ir.compiled import CUSTOM_CODE, Executable, Package, Port
from edgecompile.ir.network import Network
from edgecompile.ir.spelling import printable, shorten

WIDTH = 80


def describe_packages(network: Network, packages: Sequence[Package]) -> dict[str, Any]:
    """Totals, the operators left to the CPU by name, and every package with its executables."""
    operators = [operator for subgraph in network.subgraphs for operator in subgraph.operators]
    left = Counter(operator.label for operator in operators if operator.custom_code != CUSTOM_CODE)
    return {
        "cached_bytes": sum(package.cached_bytes for package in packages),
        "streamed_bytes": sum(package.streamed_bytes for package in packages),
        "minimum_runtime": max((package.minimum_runtime for package in packages), default=0),
        "cpu_operators": {printable(name): count for name, count in sorted(left.items())},
        "packages": [_package(package) for package in packages],
    }


def lines_of(facts: Mapping[str, Any]) -> list[str]:
    """What :func:`describe_packages` gives, for people."""
    left = ", ".join(f"{name} {count}" for name, count in facts["cpu_operators"].items())
    lines = [
        "Compiled for the Edge TPU",
        f"  minimum runtime  {facts['minimum_runtime']}",
        f"  cached on chip   {format_size(facts['cached_bytes'])}",
        f"  streamed         {format_size(facts['streamed_bytes'])}",
        shorten(f"  left on the CPU  {left or 'nothing'}", WIDTH),
    ]
    for package in facts["packages"]:
        lines.append(f"  operator {package['operator']}")
        for executable in package["executables"]:
            lines += _lines(executable)
    return lines


def _lines(executable: Mapping[str, Any]) -> list[str]:
    cycles = f", {group(executable['estimated_cycles'])} cycles" if executable["estimated_cycles"] else ""
    lines = [
        f"    {executable['kind']}: parameters {format_size(executable['parameters_bytes'])}, "
        f"instructions {format_size(executable['instruction_bytes'])}",
    ]
    if executable["tile_bytes"]:
        scratch = f", scratch {format_size(executable['scratch_bytes'])}" if executable["scratch_bytes"] else ""
        lines.append(f"      activations {format_size(executable['tile_bytes'])} in each tile{scratch}{cycles}")
    for title, ports in (("reads", executable["inputs"]), ("writes", executable["outputs"])):
        for port in ports:
            sizes = " x ".join(map(str, port["shape"]))
            kind = f"{port['dtype']} {sizes}, {format_size(port['size_bytes'])}"
            name = shorten(port["name"], max(12, WIDTH - 14 - len(kind)))
            lines.append(f"      {title:<6} {name}  {kind}")
    return lines


def _package(package: Package) -> dict[str, Any]:
    return {
        "subgraph": package.subgraph,
        "operator": package.operator,
        "minimum_runtime": package.minimum_runtime,
        "compiler": printable(package.compiler),
        "cached_bytes": package.cached_bytes,
        "streamed_bytes": package.streamed_bytes,
        "executables": [_executable(executable) for executable in package.executables],
    }


def _executable(executable: Executable) -> dict[str, Any]:
    return {
        "kind": executable.kind,
        "chip": printable(executable.chip),
        "parameters_bytes": executable.parameters_bytes,
        "instruction_bytes": executable.instruction_bytes,
        "scratch_bytes": executable.scratch_bytes,
        "tile_bytes": executable.tile_bytes,
        "estimated_cycles": executable.estimated_cycles,
        "caching_token": str(executable.caching_token),
        "inputs": [_port(port) for port in executable.inputs],
        "outputs": [_port(port) for port in executable.outputs],
    }


def _port(port: Port) -> dict[str, Any]:
    scale: float | str = port.scale if math.isfinite(port.scale) else str(port.scale)
    return {
        "name": printable(port.name),
        "size_bytes": port.size_bytes,
        "shape": list(port.shape),
        "dtype": port.dtype,
        "scale": scale,
        "zero_point": port.zero_point,
    }
