"""The whole way of a .tflite, without TensorFlow: what is written, what is refused, what stays untouched."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from pipeline_networks import classifier, project, samples, stranger, targets_of

from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.core.progress import Silent
from edgecompile.core.project import Accuracy, Budget, DataSpec
from edgecompile.core.recipe import Recipe, Step
from edgecompile.emit.depfile import Depfile
from edgecompile.ir.reader import read_file
from edgecompile.lowering import scheme_of
from edgecompile.pipeline import build, check

TARGETS = ("coral", "cortex-m4", "android-nnapi")
REPORTS = {"report.json", "report.txt", "report.html"}
EVERYWHERE = {*REPORTS, "net.tflite"}
FILES = {
    "coral": EVERYWHERE,
    "cortex-m4": {*EVERYWHERE, "model_data.c", "model_data.h", "model_operators.h"},
    "android-nnapi": {*EVERYWHERE, "assets/net.tflite", "net.json"},
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_target_gets_its_files_and_a_report_that_lists_them(tmp_path: Path) -> None:
    wanted = project(tmp_path, targets=TARGETS)

    reports = build(wanted, targets_of(wanted), Silent())

    for report in reports:
        there = set(contents(tmp_path / "build" / report.target))
        written = json.loads((tmp_path / "build" / report.target / "report.json").read_text())
        assert there >= FILES[report.target]
        assert {artifact["path"] for artifact in written["artifacts"]} == there - REPORTS


def test_the_report_has_the_documented_keys_and_measures(tmp_path: Path) -> None:
    data = DataSpec(source=samples(tmp_path / "data.npz"), calibration_samples=4)
    wanted = project(tmp_path, targets=("android-nnapi",), data=data)

    (report,) = build(wanted, targets_of(wanted), Silent())

    plain = report.to_dict()
    assert list(plain)[:10] == [
        "schema", "status", "target", "recipe", "model_sha256", "versions", "stages", "measures", "diagnostics",
        "artifacts",
    ]  # fmt: skip
    names = {measure["name"] for measure in plain["measures"]}
    assert names >= {
        "model_bytes", "weights_bytes", "macs", "operators", "operators_on_cpu", "partitions", "arena_bytes",
        "flash_bytes", "ram_bytes", "metric",
    }  # fmt: skip
    counted = {measure.name: measure.value for measure in report.measures}
    assert counted["macs"] == 4 * 4 * 8 * 27 + 128 * 4
    assert counted["operators"] == 4
    assert counted["weights_bytes"] == 8 * 27 + 8 * 4 + 128 * 4 + 4 * 4 + 2 * 4
    assert counted["model_bytes"] == (tmp_path / "build/android-nnapi/net.tflite").stat().st_size


def test_a_second_build_touches_nothing(tmp_path: Path) -> None:
    wanted = project(tmp_path, targets=TARGETS)
    build(wanted, targets_of(wanted), Silent())
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (tmp_path / "build").rglob("*")}

    build(wanted, targets_of(wanted), Silent())

    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (tmp_path / "build").rglob("*")} == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"network": stranger()}, "EC507", id="an operator the device does not know"),
        pytest.param({"budget": Budget(ram_bytes=100)}, "EC600", id="too much RAM"),
        pytest.param({"budget": Budget(flash_bytes=100)}, "EC601", id="too much flash"),
    ],
)
def test_a_rejected_build_leaves_the_earlier_output_as_it_was(tmp_path: Path, change: dict, code: str) -> None:
    wanted = project(tmp_path)
    build(wanted, targets_of(wanted), Silent())
    before = contents(tmp_path / "build")

    worse = project(tmp_path, **change)
    (report,) = build(worse, targets_of(worse), Silent())

    assert report.status == "rejected"
    assert code in {diagnostic.code for diagnostic in report.diagnostics}
    assert report.artifacts == ()
    assert contents(tmp_path / "build") == before


def test_operators_and_budgets_are_told_in_one_run(tmp_path: Path) -> None:
    wanted = project(tmp_path, stranger(), budget=Budget(flash_bytes=100))

    (report,) = build(wanted, targets_of(wanted), Silent())

    assert {"EC507", "EC601"} <= {diagnostic.code for diagnostic in report.diagnostics}


def test_one_target_may_reject_what_another_takes(tmp_path: Path) -> None:
    wanted = project(tmp_path, stranger(), targets=("cortex-m4", "android-nnapi"))

    micro, android = check(wanted, targets_of(wanted), Silent())

    assert (micro.status, android.status) == ("rejected", "built")
    assert android.measure("operators_on_cpu").value == 1


def test_check_writes_nothing(tmp_path: Path) -> None:
    wanted = project(tmp_path, targets=TARGETS)

    reports = check(wanted, targets_of(wanted), Silent())

    assert [report.status for report in reports] == ["built"] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.tflite"]


def test_without_an_interpreter_the_build_is_whole_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgecompile.libs import litert

    gone = litert.RuntimeInfo(name="tflite-micro", version="", available=False, why_not="not here")
    monkeypatch.setattr(litert, "_look_for", lambda name: gone)
    wanted = project(tmp_path)

    (lenient,) = build(wanted, targets_of(wanted), Silent())
    before = contents(tmp_path / "build")
    (strict,) = build(wanted, targets_of(wanted), Silent(), require_verified=True)

    assert lenient.status == "built"
    assert lenient.details["verification"] == "skipped: tflite-micro is missing"
    assert (strict.status, strict.artifacts) == ("failed", ())
    assert [d.severity.value for d in strict.diagnostics if d.code == "EC700"] == ["error"]
    assert contents(tmp_path / "build") == before


def test_a_tflite_is_scored_on_data_and_held_to_its_accuracy(tmp_path: Path) -> None:
    data = DataSpec(source=samples(tmp_path / "data.npz"), calibration_samples=4)
    wanted = project(tmp_path, data=data, accuracy=Accuracy(metric="top1", max_drop=0.0))

    (report,) = build(wanted, targets_of(wanted), Silent())

    assert report.status in ("verified", "built")
    assert report.measure("metric_float") is None


def test_a_tflite_is_held_against_itself_and_says_so(tmp_path: Path) -> None:
    wanted = project(tmp_path, targets=("android-nnapi",))

    (report,) = build(wanted, targets_of(wanted), Silent())

    assert "at most 0.0 steps from the model as given" in report.details["verification"]


def test_numbers_that_do_not_go_together_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    wanted = project(tmp_path, numerics="float32", io_dtype="int8")

    with pytest.raises(BadInputError, match="EC401"):
        scheme_of(wanted, targets_of(wanted)[0])


def test_a_tflite_takes_no_other_shape(tmp_path: Path) -> None:
    wanted = project(tmp_path, input_shape=("8x8x3",))

    with pytest.raises(BadInputError) as caught:
        build(wanted, targets_of(wanted), Silent())

    assert [said.code for said in caught.value.diagnostics] == ["EC249"]
    assert "--input-shape 8x8x3" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize("target", TARGETS)
def test_the_emitted_file_is_the_one_that_was_measured(tmp_path: Path, target: str) -> None:
    wanted = project(tmp_path, targets=(target,))

    build(wanted, targets_of(wanted), Silent())

    emitted = read_file(tmp_path / "build" / target / "net.tflite")
    assert [op.name for op in emitted.main.operators] == [op.name for op in classifier().main.operators]


def test_data_too_small_to_calibrate_with_still_scores_what_needs_no_calibration(tmp_path: Path) -> None:
    data = DataSpec(source=samples(tmp_path / "data.npz", count=8), calibration_samples=200)
    wanted = project(tmp_path, data=data, accuracy=Accuracy(metric="top1"), targets=("android-nnapi",))

    (report,) = build(wanted, targets_of(wanted), Silent())

    assert report.measure("metric") is not None


def test_data_comes_from_a_function_of_the_user(tmp_path: Path) -> None:
    lines = "import numpy\ndef data():\n    return {'x_test': numpy.zeros((8, 8, 8, 3)), 'y_test': [1] * 8}\n"
    (tmp_path / "my_data.py").write_text(lines)
    wanted = project(tmp_path, data=DataSpec(source="my_data.py:data"), targets=("android-nnapi",))

    (report,) = build(wanted, targets_of(wanted), Silent())

    assert report.details["data"]["splits"]["test"]["samples"] == 8


def test_temporary_files_of_a_childs_code_go_with_the_build(tmp_path: Path) -> None:
    lines = (
        "import numpy, pathlib, tempfile",
        "def data():",
        f"    pathlib.Path({str(tmp_path / 'where')!r}).write_text(tempfile.mkdtemp())",
        "    return {'x_test': numpy.zeros((8, 8, 8, 3))}",
    )
    (tmp_path / "my_data.py").write_text("\n".join(lines))
    wanted = project(tmp_path, data=DataSpec(source="my_data.py:data"))

    build(wanted, targets_of(wanted), Silent())

    assert not Path((tmp_path / "where").read_text()).exists()


def test_a_place_that_cannot_be_written_is_told_before_the_model_is_opened(tmp_path: Path) -> None:
    wanted = dataclasses.replace(project(tmp_path), model="absent.tflite")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "cortex-m4").write_text("in the way")

    with pytest.raises(BadInputError) as refused:
        build(wanted, targets_of(wanted), Silent())

    assert refused.value.diagnostics[0].code == "EC632"


def test_a_depfile_names_model_data_and_outputs(tmp_path: Path) -> None:
    data = DataSpec(source=samples(tmp_path / "data.npz"), calibration_samples=4)
    wanted = project(tmp_path, data=data)

    build(wanted, targets_of(wanted), Silent(), depfile=Depfile(tmp_path / "out.d"))

    text = (tmp_path / "out.d").read_text()
    assert str(tmp_path / "build/cortex-m4/net.tflite") in text.split(": ")[0]
    assert str(tmp_path / "net.tflite") in text
    assert str(tmp_path / "data.npz") in text


def test_a_pass_that_does_not_exist_is_refused_before_anything_runs(tmp_path: Path) -> None:
    wanted = project(tmp_path, recipe=Recipe(name="mine", steps=(Step(name="prun"),)))

    with pytest.raises(BadInputError) as refused:
        build(wanted, targets_of(wanted), Silent())

    assert refused.value.diagnostics[0].code == "EC129"


def test_numerics_that_the_target_does_not_run_are_refused(tmp_path: Path) -> None:
    wanted = project(tmp_path, targets=("coral",), numerics="float16")

    with pytest.raises(RejectedError) as refused:
        build(wanted, targets_of(wanted), Silent())

    assert refused.value.diagnostics[0].code == "EC301"
    assert "int8" in refused.value.diagnostics[0].notes[0]


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgecompile import judging

    wanted = project(tmp_path)
    build(wanted, targets_of(wanted), Silent())
    before = contents(tmp_path)
    changed = dataclasses.replace(wanted, budget=Budget(ram_bytes=1_000_000))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "verify", interrupted)

    with pytest.raises(KeyboardInterrupt):
        build(changed, targets_of(changed), Silent())

    assert contents(tmp_path) == before
