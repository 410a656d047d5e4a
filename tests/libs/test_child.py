from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edgecompile.core.errors import (
    BadInputError,
    EdgecompileError,
    InternalError,
    MissingError,
    RejectedError,
)
from edgecompile.libs.child import Crash, Session, call

CRASH = Crash(code="EC400", message="the converter died", help=("unroll the layer",))
FOLDER = Path(__file__).parent


@pytest.fixture(autouse=True)
def samples_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


class Recorder:
    """A listener that keeps what it hears, and can interrupt when a stage begins."""

    def __init__(self, interrupt: bool = False) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self._interrupt = interrupt

    def begin(self, stage: str, detail: str) -> None:
        self.heard.append(("begin", stage, detail))
        if self._interrupt:
            raise KeyboardInterrupt

    def update(self, done: int, total: int, what: str) -> None:
        self.heard.append(("update", done, total, what))

    def end(self, summary: str) -> None:
        self.heard.append(("end", summary))


def is_gone(process_id: int) -> bool:
    """The process has ended (or only waits to be collected); waits for it a while."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="nothing"),
        pytest.param({"a": [1, 2.5, None, True]}, id="nested"),
        pytest.param("größer ≥ 1 \n\u2028 \U0001f600", id="unicode-and-newlines"),
        pytest.param([], id="empty"),
        pytest.param(10**30, id="large-integer"),
        pytest.param(0.1, id="float"),
        pytest.param("a" * 3_000_000, id="long-arguments"),
    ],
)
def test_a_value_crosses_there_and_back(value: Any) -> None:
    assert call("child_samples:give", {"value": value}) == value


def test_nan_and_infinity_cross() -> None:
    nan, infinity = call("child_samples:give", {"value": [math.nan, math.inf]})

    assert math.isnan(nan)
    assert infinity == math.inf


def test_a_huge_result_arrives_whole() -> None:
    assert call("child_samples:give_many", {"count": 2_000_000}) == "ä" * 2_000_000


def test_progress_is_heard_in_order() -> None:
    recorder = Recorder()

    result = call("child_samples:report", {}, progress=recorder)

    assert result == "done"
    assert recorder.heard == [
        ("begin", "Load", "kws.keras"),
        *(("update", step, 3, "epoch") for step in range(3)),
        ("end", "loaded"),
    ]


def test_what_a_library_prints_neither_blocks_nor_shows(capfd: pytest.CaptureFixture[str]) -> None:
    assert call("child_samples:print_much", {"lines": 50_000}) == "quiet"

    assert capfd.readouterr() == ("", "")


def test_the_child_reads_nothing_from_the_terminal() -> None:
    assert call("child_samples:read_stdin", {}) == ""


def test_variables_are_added_to_the_parents_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECOMPILE_TEST_PARENT", "seen")

    added = call("child_samples:variable", {"name": "TF_USE_LEGACY_KERAS"}, environment={"TF_USE_LEGACY_KERAS": "1"})

    assert added == "1"
    assert call("child_samples:variable", {"name": "EDGECOMPILE_TEST_PARENT"}) == "seen"


def test_a_module_in_the_working_directory_does_not_get_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)

    assert call("child_samples:give", {"value": 1}) == 1


@pytest.mark.parametrize(
    "kind, error",
    [
        pytest.param("bad_input", BadInputError, id="bad-input"),
        pytest.param("rejected", RejectedError, id="rejected"),
        pytest.param("missing", MissingError, id="missing"),
        pytest.param("internal", InternalError, id="internal"),
    ],
)
def test_an_error_of_ours_arrives_as_it_was_raised(kind: str, error: type[EdgecompileError]) -> None:
    with pytest.raises(error) as raised:
        call("child_samples:refuse", {"kind": kind})

    (diagnostic,) = raised.value.diagnostics
    assert type(raised.value) is error
    assert diagnostic.code == "EC100"
    assert diagnostic.message == "a plain message with ümlaut"
    assert str(diagnostic.location) == "model.keras"
    assert diagnostic.notes == ("limit 4, found 5",)
    assert diagnostic.help == ("do this",)


def test_any_other_exception_is_ec900_with_its_place_and_no_traceback() -> None:
    with pytest.raises(InternalError) as raised:
        call("child_samples:fail", {})

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "EC900"
    assert diagnostic.notes[0] == "ValueError: first line"
    assert diagnostic.notes[1].startswith("raised at child_samples.py:")
    assert "Traceback" not in diagnostic.render()


def test_the_place_named_is_the_innermost_one_in_the_package() -> None:
    with pytest.raises(InternalError) as raised:
        call("child_samples:fail_inside_the_package", {})

    assert "edgecompile/core/units.py:" in raised.value.diagnostics[0].notes[1]


@pytest.mark.parametrize("function", ["no_such_module:f", "child_samples:no_such_function", "child_samples:give"])
def test_a_function_that_cannot_be_called_is_a_fault_of_ours(function: str) -> None:
    with pytest.raises(InternalError) as raised:
        call(function, {"unknown": 1})

    assert raised.value.diagnostics[0].code == "EC900"


@pytest.mark.parametrize("by", ["SIGSEGV", "SIGABRT", "SIGFPE"])
def test_a_crash_is_the_callers_diagnostic_with_signal_stage_and_last_output(by: str) -> None:
    with pytest.raises(RejectedError) as raised:
        call("child_samples:die", {"by": by}, crash=CRASH)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "EC400"
    assert diagnostic.message == f"the converter died: the process was killed by {by}"
    assert diagnostic.notes == ("last stage reported: Convert int8", "last output: the last words")
    assert diagnostic.help == ("unroll the layer",)


def test_sigkill_is_told_as_want_of_memory() -> None:
    with pytest.raises(RejectedError) as raised:
        call("child_samples:die", {"by": "SIGKILL"}, crash=CRASH)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.message.endswith("killed by SIGKILL, most often because memory ran out")
    assert diagnostic.help[0].startswith("free memory")
    assert diagnostic.help[1] == "unroll the layer"


def test_python_out_of_memory_is_told_as_such() -> None:
    with pytest.raises(RejectedError) as raised:
        call("child_samples:want_memory", {}, crash=CRASH)

    assert "memory ran out at child_samples.py:" in raised.value.diagnostics[0].message


@pytest.mark.parametrize("code", [0, 3])
def test_leaving_without_an_answer_is_a_crash(code: int) -> None:
    with pytest.raises(RejectedError) as raised:
        call("child_samples:leave", {"code": code}, crash=CRASH)

    assert raised.value.diagnostics[0].message == f"the converter died: the process ended with exit code {code}"


def test_a_crash_that_the_caller_does_not_name_is_ec902() -> None:
    with pytest.raises(InternalError) as raised:
        call("child_samples:leave", {"code": 1})

    assert raised.value.diagnostics[0].code == "EC902"


def test_output_that_is_no_text_is_quoted_readably() -> None:
    with pytest.raises(RejectedError) as raised:
        call("child_samples:write_bytes", {}, crash=CRASH)

    assert raised.value.diagnostics[0].notes == ("last output: \ufffd\ufffd broken text",)


def test_what_the_child_started_and_left_behind_is_not_waited_for() -> None:
    with pytest.raises(RejectedError) as raised:
        call("child_samples:leave_one_behind", {}, crash=CRASH)

    assert "exit code 7" in raised.value.diagnostics[0].message


def test_taking_too_long_is_told_apart_and_ends_all_that_was_started() -> None:
    recorder = Recorder()

    with pytest.raises(RejectedError) as raised:
        call("child_samples:sleep_with_a_child", {}, progress=recorder, timeout_s=1.0, crash=CRASH)

    assert raised.value.diagnostics[0].message == "the converter died: it took longer than 1 s"
    assert is_gone(int(recorder.heard[0][2]))


def test_an_interrupt_in_the_parent_ends_the_child_and_goes_on() -> None:
    recorder = Recorder(interrupt=True)

    with pytest.raises(KeyboardInterrupt):
        call("child_samples:sleep", {}, progress=recorder)

    assert is_gone(int(recorder.heard[0][2]))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends children with their parent on Linux only")
def test_the_child_dies_with_its_parent() -> None:
    script = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from edgecompile.libs.child import call\n"
        "class Tell:\n"
        "    def begin(self, stage, detail): print(detail, flush=True)\n"
        "call('child_samples:sleep', {}, progress=Tell())\n"
    )
    paths = [str(FOLDER), str(FOLDER.parents[1])]
    parent = subprocess.Popen([sys.executable, "-c", script, *paths], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert is_gone(child)


def test_arguments_that_are_not_json_are_ec901() -> None:
    with pytest.raises(InternalError) as raised:
        call("child_samples:give", {"value": object()})

    assert raised.value.diagnostics[0].code == "EC901"


def test_a_result_that_is_not_json_is_ec901() -> None:
    with pytest.raises(InternalError) as raised:
        call("child_samples:give_what_is_not_json", {})

    assert raised.value.diagnostics[0].code == "EC901"
    assert "set" in raised.value.diagnostics[0].notes[0]


def test_a_process_that_cannot_be_started_is_ec903(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    descriptors = len(os.listdir("/proc/self/fd"))

    with pytest.raises(InternalError) as raised:
        call("child_samples:give", {"value": 1})

    assert raised.value.diagnostics[0].code == "EC903"
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_session_keeps_one_process() -> None:
    with Session() as session:
        first = session.call("child_samples:process_id", {})
        with pytest.raises(BadInputError):
            session.call("child_samples:refuse", {"kind": "bad_input"})
        second = session.call("child_samples:process_id", {})

    assert first == second != os.getpid()
    assert is_gone(first)


def test_a_session_goes_on_with_a_new_process_after_a_crash() -> None:
    with Session() as session:
        first = session.call("child_samples:process_id", {})
        with pytest.raises(RejectedError):
            session.call("child_samples:leave", {"code": 1}, crash=CRASH)
        second = session.call("child_samples:process_id", {})

    assert first != second


def test_calls_leave_no_descriptor_open() -> None:
    call("child_samples:give", {"value": 1})
    descriptors = len(os.listdir("/proc/self/fd"))

    call("child_samples:give", {"value": 1})
    with pytest.raises(RejectedError):
        call("child_samples:leave", {"code": 1}, crash=CRASH)

    assert len(os.listdir("/proc/self/fd")) == descriptors
