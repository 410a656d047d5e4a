"""Arm's Vela: absent, stood in for by programs that break, and the real one where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from toolchain_programs import printing, program

from edgecompile.config.profiles import load
from edgecompile.core.target import Target
from edgecompile.libs import programs
from edgecompile.toolchain.compile import Predicted, Request, compile_model
from edgecompile.toolchain.vela_report import Reason, read_summary, reasons

HEADER = (
    "system_config,memory_mode,core_clock,inference_time,sram_memory_used,dram_memory_used,on_chip_flash_memory_used,"
    "off_chip_flash_memory_used,nn_macs,cycles_npu,cycles_sram_access,cycles_dram_access,cycles_on_chip_flash_access,"
    "cycles_off_chip_flash_access,cycles_total"
)
ROW = "High_End,Shared_Sram,500000000.0,0.0001798,21.671875,0.0,0.0,30.375,2664792,88902,36383,0,0,19888,89900"
WARNING = """Warning (supported operators) operator: SOFTMAX, ofm: 'Identity;x'
Reason: Operation has tensor with unsupported DataType Float32 (y)
Feature-map dataTypes must be one of {"INT8"}
"""
Install = Callable[[str], Path]


@pytest.fixture
def ethos() -> Target:
    return load("ethos-u55-128")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a program of that body on the search path; Vela beside Python is not looked for."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))

    def install(body: str) -> Path:
        return program(tmp_path / "bin", "vela", body)

    (tmp_path / "bin").mkdir()
    return install


def request(target: Target, content: bytes = b"", **fields: object) -> Request:
    return Request(**{"name": "m", "content": content, "target": target, "timeout_s": 60, **fields})  # type: ignore[arg-type]


def test_a_summary_is_read_with_units() -> None:
    summary = read_summary(f"{HEADER}\n{ROW}\n")

    assert summary is not None
    assert (summary.cycles, summary.macs, summary.duration_s) == (89900, 2664792, 0.0001798)
    assert summary.memory_bytes == {"sram": 22192, "off_chip_flash": 31104}
    assert summary.cycles_by_part == {"npu": 88902, "sram_access": 36383, "off_chip_flash_access": 19888}


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", f"{HEADER}\n{ROW.replace('89900', 'many')}\n", f"{HEADER}\n"])
def test_a_text_without_the_figures_is_no_summary(text: str) -> None:
    assert read_summary(text) is None


def test_reasons_are_read_each_once() -> None:
    found = reasons(WARNING * 2)

    assert found == (
        Reason(operator="SOFTMAX", layer="Identity", why="Operation has tensor with unsupported DataType Float32 (y)"),
    )


def test_without_vela_the_build_goes_on_and_names_the_command(ethos: Target, install: Install) -> None:
    compiled = compile_model(request(ethos))

    (diagnostic,) = compiled.diagnostics
    assert diagnostic.code == "EC572" and diagnostic.severity.value == "warning"
    assert "install it: pip install ethos-u-vela" in diagnostic.help
    assert compiled.files == () and compiled.version == ""


BROKEN = [
    ("an error", "print('RuntimeError: no', file=sys.stderr)\nsys.exit(1)", "EC573"),
    ("a crash", "os.kill(os.getpid(), signal.SIGSEGV)", "EC573"),
    ("no files", printing("Network summary"), "EC578"),
]


@pytest.mark.parametrize(("body", "code"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_vela_that_breaks_is_a_warning(ethos: Target, install: Install, body: str, code: str) -> None:
    install(body)

    compiled = compile_model(request(ethos))

    assert [diagnostic.code for diagnostic in compiled.diagnostics] == [code]
    assert compiled.files == ()


def test_a_vela_that_hangs_is_ended(ethos: Target, install: Install) -> None:
    install("time.sleep(600)")

    assert compile_model(request(ethos, timeout_s=1)).diagnostics[0].code == "EC575"


def test_the_profiles_options_reach_vela(ethos: Target, install: Install) -> None:
    install("out(' '.join(argv))\nsys.exit(1)")

    notes = compile_model(request(ethos)).diagnostics[0].notes

    assert notes == (
        "it said: m.tflite --output-dir . --show-cpu-operations --accelerator-config ethos-u55-128"
        " --config Arm/vela.ini --system-config Ethos_U55_High_End_Embedded --memory-mode Shared_Sram",
    )


needs_vela = pytest.mark.skipif(programs.find("vela") is None, reason="`vela` (pip install ethos-u-vela) is not here")
# Cycles are those of the real Vela 5; another version may estimate otherwise, by less than this share.
SHARE = 0.25
CYCLES = {"kws_ref_model": 89900, "person_detect": 353931, "pretrainedResnet_quant": 201747}


@needs_vela
@pytest.mark.data
@pytest.mark.parametrize("name", CYCLES)
def test_vela_compiles_the_models_of_tflm(ethos: Target, data: Path, name: str) -> None:
    content = (data / "cortexm" / f"{name}.tflite").read_bytes()

    compiled = compile_model(request(ethos, content))

    found = {measure.name: measure for measure in compiled.measures}
    assert compiled.diagnostics == ()
    assert compiled.version.startswith("Vela ")
    assert found["operators_on_cpu"].value == 0
    assert found["cycles"].value == pytest.approx(CYCLES[name], rel=SHARE)
    assert found["cycles"].method.startswith(f"predicted by {compiled.version} for Ethos_U55_High_End_Embedded")
    assert b"ethos-u" in compiled.files[0].content


@needs_vela
@pytest.mark.data
def test_operators_that_vela_leaves_to_the_cpu_are_told_with_its_reason(ethos: Target, data: Path) -> None:
    content = (data / "tflite" / "mlcommons__tiny__e5004c6f__kws_ref_model_float32.tflite").read_bytes()

    compiled = compile_model(request(ethos, content, predicted=(Predicted(name="SOFTMAX", accelerated=True),)))

    assert {m.name: m.value for m in compiled.measures}["operators_on_cpu"] == 13
    assert [diagnostic.code for diagnostic in compiled.diagnostics] == ["EC577"]
    told = compiled.details["operators on the CPU, as Vela says"]
    assert any(line.startswith("SOFTMAX (Identity): Operation has tensor with unsupported") for line in told)
