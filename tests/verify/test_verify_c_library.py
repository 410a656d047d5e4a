"""The C library is compiled and held against the reference; each way in which that can go wrong is told as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.diagnostic import Severity
from edgecompile.emit.c.header import header
from edgecompile.emit.c.source import headers_of, source
from edgecompile.emit.emission import Layout
from edgecompile.emit.emitters.c_library import with_their_own
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.program import Program, compile_network
from edgecompile.libs import litert, programs
from edgecompile.memory.program_plan import plan_program
from edgecompile.verify.c_library import CVerification, verify_c

needs_both = pytest.mark.skipif(
    shutil.which("gcc") is None or not litert.choose(litert.MICRO).available,
    reason="gcc or tflite-micro is not installed",
)


def two_layers() -> Network:
    draw = np.random.default_rng(3)
    build = NetworkBuilder()
    x = build.input("x", (1, 6), "int8", scale=0.5, zero_point=3)
    last = x
    for name, inputs, outputs in (("first", 6, 5), ("second", 5, 4)):
        w = build.constant(f"{name}_w", draw.integers(-127, 128, (outputs, inputs), dtype=np.int8), scale=0.01)
        y = build.tensor(name, (1, outputs), "int8", scale=0.5, zero_point=-2)
        last = build.op("FULLY_CONNECTED", [last, w], [y])
    return build.output(last).build()


def emitted(network: Network, folder: Path) -> Program:
    program = compile_network(network)
    plan = plan_program(network, program)
    layout = Layout(arena_bytes=plan.plan.arena_bytes, offsets=plan.offsets, scratch=plan.scratch)
    (folder / "m.h").write_text(header("m", program.subgraph, layout))
    (folder / "m.c").write_text(source("m", program, layout))
    (folder / "kernels").mkdir()
    for kernel, text in with_their_own(("rounding", *headers_of(program))).items():
        (folder / "kernels" / f"{kernel}.h").write_text(text)
    return program


def checked(folder: Path, *changes: tuple[str, str]) -> CVerification:
    """What verification says of a library whose source was changed by hand."""
    network = two_layers()
    program = emitted(network, folder)
    text = (folder / "m.c").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "m.c").write_text(text)
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32) * 20
    return verify_c(folder, "m", network, program, [x], "m.tflite")


@needs_both
def test_a_library_that_is_right_is_verified_in_every_tensor(tmp_path: Path) -> None:
    found = checked(tmp_path)

    assert (found.status, found.tensors, found.samples) == ("verified", 2, 8)
    assert found.diagnostics == ()


@needs_both
@pytest.mark.parametrize(("layer", "operator"), [("m_layer_0 = {", 0), ("m_layer_1 = {", 1)], ids=["first", "second"])
def test_the_first_operator_that_differs_is_named_by_ec720(tmp_path: Path, layer: str, operator: int) -> None:
    network = two_layers()
    program = emitted(network, tmp_path)
    head, tail = (tmp_path / "m.c").read_text().split(layer)
    (tmp_path / "m.c").write_text(head + layer + tail.replace(".output_zero_point = -2", ".output_zero_point = -1", 1))
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32) * 20

    found = verify_c(tmp_path, "m", network, program, [x], "m.tflite")

    assert found.status == "failed"
    assert [d.code for d in found.diagnostics] == ["EC720"]
    location = found.diagnostics[0].location
    assert location is not None and location.operator == operator


@needs_both
def test_a_source_that_does_not_compile_is_ec722(tmp_path: Path) -> None:
    found = checked(tmp_path, ("void m_init", "int m_init"))

    assert (found.status, [d.code for d in found.diagnostics]) == ("failed", ["EC722"])
    assert any("error" in note for note in found.diagnostics[0].notes)


@needs_both
def test_a_library_that_crashes_is_ec723(tmp_path: Path) -> None:
    found = checked(tmp_path, ("    (void)arena;\n", "    *(volatile char *)0 = 0;\n"))

    assert (found.status, [d.code for d in found.diagnostics]) == ("failed", ["EC723"])


def test_without_a_compiler_it_is_skipped_with_ec721(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find", lambda name: None)

    found = checked(tmp_path)

    assert (found.status, [d.code for d in found.diagnostics]) == ("skipped", ["EC721"])
    assert found.diagnostics[0].severity is Severity.WARNING
    assert "a C compiler" in found.diagnostics[0].message
