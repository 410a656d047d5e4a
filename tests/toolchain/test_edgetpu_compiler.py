"""Running `edgetpu_compiler`: absent, succeeding, disagreeing, refusing, crashing, hanging, printing the unknown."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from toolchain_programs import FAILURE, SUCCESS, printing, program, row

from edgecompile.config.profiles import load
from edgecompile.core.errors import BadInputError, MissingError
from edgecompile.core.target import Target
from edgecompile.ir import reader
from edgecompile.toolchain.compile import Compiled, Predicted, Request, compile_model

MAPPED = "Mapped to Edge TPU"
Install = Callable[[str], Path]


@pytest.fixture
def coral() -> Target:
    return load("coral")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a program of that body on the search path, and nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def install(body: str) -> Path:
        return program(tmp_path / "bin", "edgetpu_compiler", body)

    return install


def request(target: Target, content: bytes = b"TFL3", **fields: object) -> Request:
    return Request(**{"name": "m", "content": content, "target": target, "timeout_s": 20, **fields})  # type: ignore[arg-type]


def code_of(compiled: Compiled) -> list[str]:
    return [diagnostic.code for diagnostic in compiled.diagnostics]


def test_without_the_program_the_prediction_stands(coral: Target, install: Install) -> None:
    compiled = compile_model(request(coral))

    assert compiled.diagnostics == () and compiled.files == () and compiled.version == ""
    assert "not on the search path" in compiled.summary


STARTS = "out('Edge TPU Compiler version 16.0')\n"
NOT_QUANTIZED = printing(FAILURE.format(reason="Model not quantized"), code=1)
BROKEN = [
    ("refuses", NOT_QUANTIZED, "EC574", "it said: ERROR: Model not quantized"),
    ("crashes", f"{STARTS}os.kill(os.getpid(), signal.SIGSEGV)", "EC573", "Edge TPU Compiler version 16.0"),
    ("ends with an error", "out('no licence in /home/jane/tpu/x.lic')\nsys.exit(3)", "EC573", "no licence in x.lic"),
    ("writes nothing", printing(SUCCESS.format(name="m", cached="1.00KiB", total=1, rows="")), "EC578", ""),
    ("prints the unknown", "out('Welcome to Magic 99\\n')", "EC576", "it begins: Welcome to Magic 99"),
]


@pytest.mark.parametrize(("body", "code", "said"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_compiler_that_breaks_is_a_warning_with_what_it_said(
    coral: Target, install: Install, body: str, code: str, said: str
) -> None:
    install(body)

    compiled = compile_model(request(coral))

    assert code_of(compiled) == [code]
    (diagnostic,) = compiled.diagnostics
    assert diagnostic.severity.value == "warning" and diagnostic.help
    assert any(said in note for note in diagnostic.notes)
    assert "/home" not in diagnostic.render() and compiled.files == ()


def test_a_crash_names_the_signal(coral: Target, install: Install) -> None:
    install("os.kill(os.getpid(), signal.SIGABRT)")

    assert "crashed (SIGABRT)" in compile_model(request(coral)).diagnostics[0].message


def test_a_compiler_that_hangs_is_ended(coral: Target, install: Install) -> None:
    install("out('Edge TPU Compiler version 16.0')\ntime.sleep(600)")

    compiled = compile_model(request(coral, timeout_s=1))

    assert code_of(compiled) == ["EC575"]
    assert "did not finish in 1 s" in compiled.diagnostics[0].message


def test_a_program_that_cannot_be_started_is_a_warning(coral: Target, install: Install) -> None:
    install("").write_text("#!/no/such/python\n", encoding="utf-8")

    compiled = compile_model(request(coral))

    assert code_of(compiled) == ["EC573"]
    assert "cannot be started" in compiled.diagnostics[0].message


@pytest.mark.parametrize(("parts", "asked"), [(1, False), (None, True)], ids=["first-part", "every-part"])
def test_the_compiler_is_asked_for_every_part_where_the_user_wants_them(
    coral: Target, install: Install, parts: int | None, asked: bool
) -> None:
    from dataclasses import replace

    install("out('arguments: ' + ' '.join(sys.argv[1:]))\nsys.exit(3)")
    target = replace(coral, placement=replace(coral.placement, max_partitions=parts))

    (told,) = compile_model(request(target)).diagnostics

    arguments = next(note for note in told.notes if "arguments: " in note).split()
    assert ("-a" in arguments) is asked
    assert arguments[-1] == "m.tflite"


def test_a_profile_with_an_unknown_compiler_is_refused(coral: Target) -> None:
    from dataclasses import replace

    assert coral.compiler is not None
    wrong = replace(coral, compiler=replace(coral.compiler, name="edgetpu-compiler"))

    with pytest.raises(BadInputError) as caught:
        compile_model(request(wrong))

    assert caught.value.diagnostics[0].code == "EC579"
    assert "did you mean `edgetpu_compiler`?" in caught.value.diagnostics[0].help


@pytest.mark.parametrize("command", ["docker run 'image", "   "], ids=["an open quote", "no words"])
def test_a_command_that_cannot_be_read_is_refused(coral: Target, command: str) -> None:
    with pytest.raises(BadInputError) as caught:
        compile_model(request(coral, command=command))

    assert caught.value.diagnostics[0].code == "EC580"


def test_a_command_whose_program_is_not_there_is_told(coral: Target) -> None:
    with pytest.raises(MissingError) as caught:
        compile_model(request(coral, command="no-such-docker run image"))

    assert caught.value.diagnostics[0].code == "EC191"


def test_a_command_of_the_users_gets_the_folder_and_the_arguments(coral: Target, tmp_path: Path) -> None:
    script = program(
        tmp_path / "bin", "docker",
        "out(' '.join(argv))\nassert Path(argv[1]) == Path.cwd() and Path(argv[-1]).is_file()\nsys.exit(9)",
    )  # fmt: skip

    compiled = compile_model(request(coral, command=f"{script} -v {{folder}} image edgetpu_compiler"))

    assert code_of(compiled) == ["EC573"] and "exit code 9" in compiled.diagnostics[0].message
    assert any("image edgetpu_compiler -s -o . -t 20 m.tflite" in note for note in compiled.diagnostics[0].notes)


SOURCE = "google-coral__test_data__cb273c23__mobilenet_v1_0.25_128_quant.tflite"
COMPILED = "google-coral__test_data__a4cb1e49__mobilenet_v1_0.25_128_quant_edgetpu.tflite"


def predicted(content: bytes, status: str = MAPPED) -> tuple[Predicted, ...]:
    operators = reader.read(content).main.operators
    return tuple(Predicted(name=one.label, accelerated=True, status=status) for one in operators)


def success(content: bytes, status: str = MAPPED) -> str:
    counted = Counter(one.label for one in reader.read(content).main.operators)
    rows = [row(name, count, MAPPED if name != "SOFTMAX" else status) for name, count in counted.items()]
    return SUCCESS.format(name="m", cached="553.50KiB", total=counted.total(), rows="\n".join(rows))


@pytest.mark.data
def test_a_compiler_that_agrees_gives_its_model_and_its_figures(coral: Target, install: Install, data: Path) -> None:
    content = (data / "tflite" / SOURCE).read_bytes()
    install(printing(success(content), {"m_edgetpu.tflite": data / "tflite" / COMPILED}))

    compiled = compile_model(request(coral, content, predicted=predicted(content)))

    assert compiled.diagnostics == ()
    assert compiled.version == "edgetpu_compiler 16.0.384591198"
    assert [(file.path, file.kind) for file in compiled.files] == [("m_edgetpu.tflite", "edgetpu_tflite")]
    assert compiled.files[0].content == (data / "tflite" / COMPILED).read_bytes()
    found = {measure.name: measure.value for measure in compiled.measures}
    assert found["operators_on_cpu"] == 0 and found["partitions"] == 1 and found["streamed_bytes"] == 0
    assert "CONV_2D x 15: Mapped to Edge TPU" in compiled.details["compiler log"]


@pytest.mark.data
def test_models_that_share_the_device_are_compiled_in_one_run(coral: Target, install: Install, data: Path) -> None:
    content, compiled_file = (data / "tflite" / SOURCE).read_bytes(), data / "tflite" / COMPILED
    own = success(content)
    first = own.replace("Input model: m.", "Input model: first.").replace("CONV_2D", "ADD    ")
    said_of_first = first[first.index("Input model: first.") : first.index("Compilation child")]
    log = own.replace("Input model: m.", said_of_first + "Input model: m.").replace("Model compiled", "Models compiled")
    body = "assert Path('first.tflite').read_bytes() == b'TFL3'\n"
    body += "Path('first_edgetpu.tflite').write_bytes(argv[-2].encode() + argv[-1].encode())\n"
    install(body + printing(log, {"m_edgetpu.tflite": compiled_file}))

    compiled = compile_model(
        request(coral, content, predicted=predicted(content), beside=(("first", b"TFL3"),)),
    )

    assert compiled.diagnostics == ()
    assert {file.path: file.content for file in compiled.files} == {
        "m_edgetpu.tflite": compiled_file.read_bytes(),
        "first_edgetpu.tflite": b"first.tflitem.tflite",
    }
    assert "CONV_2D x 15: Mapped to Edge TPU" in compiled.details["compiler log"]
    assert not any(line.startswith("ADD") for line in compiled.details["compiler log"])


@pytest.mark.data
def test_a_compiler_that_disagrees_leaves_a_case_that_can_be_sent(coral: Target, install: Install, data: Path) -> None:
    content = (data / "tflite" / SOURCE).read_bytes()
    log = f"opening {data}/x\n" + success(content, "Operation not supported")
    install(printing(log, {"m_edgetpu.tflite": data / "tflite" / COMPILED}))
    wanted = request(coral, content, predicted=predicted(content), measures={"cached_bytes": 5})

    compiled = compile_model(wanted)

    assert code_of(compiled) == ["EC577"]
    notes = compiled.diagnostics[0].notes
    assert notes[0] == ("`SOFTMAX`: predicted 1 x Mapped to Edge TPU; the compiler says 1 x Operation not supported")
    assert notes[1].startswith("cached bytes: predicted 5 B; the compiler says")
    case = next(file for file in compiled.files if file.path == "m_case.zip")
    archive = zipfile.ZipFile(io.BytesIO(case.content))
    assert archive.namelist() == ["case.json", "compiler.log", "m.tflite", "m_compiled.tflite"]
    assert archive.read("m.tflite") == content
    assert json.loads(archive.read("case.json"))["differences"] == list(notes)
    everything = archive.read("case.json") + archive.read("compiler.log")
    assert str(data).encode() not in everything and b"opening x" in everything
    assert compile_model(wanted).files == compiled.files


@pytest.mark.data
def test_an_unknown_log_is_told_and_the_model_is_counted(coral: Target, install: Install, data: Path) -> None:
    content = (data / "tflite" / SOURCE).read_bytes()
    install(printing("Tensor Compiler 2030: done.", {"m_edgetpu.tflite": data / "tflite" / COMPILED}))

    compiled = compile_model(request(coral, content, predicted=predicted(content)))

    assert code_of(compiled) == ["EC576"]
    assert "it begins: Tensor Compiler 2030: done." in compiled.diagnostics[0].notes
    assert {m.name: m.value for m in compiled.measures}["operators_on_cpu"] == 0


@pytest.mark.data
def test_operators_left_to_the_cpu_are_found_without_a_log(coral: Target, install: Install, data: Path) -> None:
    content = (data / "tflite" / SOURCE).read_bytes()
    install(printing("?", {"m_edgetpu.tflite": data / "tflite" / SOURCE}))

    compiled = compile_model(request(coral, content, predicted=predicted(content)))

    assert code_of(compiled) == ["EC577", "EC576"]
    assert "`CONV_2D`: predicted 0 on the CPU; the compiled model has 15" in compiled.diagnostics[0].notes
