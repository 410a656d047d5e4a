"""Verification of whole artifacts by the interpreter that judges."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "libs"))
import one_operator

from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import BadInputError
from edgecompile.core.project import Accuracy
from edgecompile.core.target import Placement, Target
from edgecompile.libs import litert
from edgecompile.verify.verify import Verification, verify

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
REFERENCE = np.maximum(X, 0)
LABELS = REFERENCE.argmax(-1)
INT8 = one_operator.relu((1, 4), dtype="int8", scale=0.03125, zero_point=-3)
FLOAT = one_operator.relu((1, 4))
REVERSED = one_operator.model(
    "GATHER",
    [
        one_operator.Spec(shape=(1, 4)),
        one_operator.Spec(shape=(4,), dtype="int32", value=np.array([3, 2, 1, 0], np.int32)),
    ],
    [one_operator.Spec(shape=(1, 4))],
    options=("GatherOptions", one_operator.gather_options(1)),
)


def device(judge: str = "tflite") -> Target:
    return Target(
        id="t", name="t", family="t", description="", numerics=("int8",), io_dtype="int8", operators={},
        placement=Placement(accelerator="cpu"), emit=(), judge=judge,
    )  # fmt: skip


def check(content: bytes, judge: str = "tflite", **more: Any) -> Verification:
    given: dict[str, Any] = {"x": (X,), "y": (LABELS,), "reference": (REFERENCE,), **more}
    return verify(content, device(judge), **given)


JUDGES = [j for j in ("tflite", "tflite-micro") if litert.choose(j).available]


@pytest.mark.parametrize("judge", JUDGES)
def test_a_good_artifact_is_verified_and_scored_beside_the_float_model(judge: str) -> None:
    found = check(INT8, judge, accuracy=Accuracy(metric="top1", max_drop=0.1))

    assert found.status == "verified"
    assert found.diagnostics == ()
    metric, metric_float = found.measures
    assert (metric.name, metric.unit, metric_float.name, metric_float.unit) == (
        "metric",
        "top1",
        "metric_float",
        "top1",
    )
    assert metric_float.value == 1.0
    assert metric.limit == pytest.approx(0.9)
    kernels = "reference kernels" if judge == "tflite-micro" else "resolver AUTO"
    assert metric.method == f"measured: {litert.choose(judge)}, {kernels}, 40 held-out samples"
    (row,) = found.details["agreement"]
    assert 0 < row["mean_steps"] <= row["max_steps"] <= 0.5 + 1e-3  # one rounding; float32 of the scale
    assert found.runtime.endswith(kernels)
    assert "argmax agrees" in found.summary


def test_without_labels_there_is_agreement_alone() -> None:
    found = check(FLOAT, y=())

    assert (found.status, found.measures) == ("verified", ())
    assert found.details["agreement"][0]["max_difference"] == 0.0


def test_without_a_float_model_the_artifact_alone_is_scored() -> None:
    found = check(FLOAT, reference=None)

    assert [(m.name, m.value) for m in found.measures] == [("metric", 1.0)]
    assert list(found.details) == ["confusion"]
    assert list(found.details["confusion"]) == ["artifact"]


def test_a_drop_beyond_the_limit_fails_with_ec710() -> None:
    found = check(REVERSED, accuracy=Accuracy(metric="top1", max_drop=0.01))

    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    assert found.status == "failed"
    assert [d.code for d in errors] == ["EC710"]
    assert "limit: worse by 1.00 points, found: " in errors[0].render()


def test_a_drop_that_equals_the_limit_is_within_it() -> None:
    drop = 1.0 - check(REVERSED, accuracy=Accuracy(metric="top1")).measures[0].value  # type: ignore[operator]

    found = check(REVERSED, accuracy=Accuracy(metric="top1", max_drop=drop))

    assert found.status == "verified"
    assert found.measures[0].value == pytest.approx(found.measures[0].limit)


def test_for_mse_a_drop_is_an_increase() -> None:
    worse = check(INT8, y=(REFERENCE,), accuracy=Accuracy(metric="mse", max_drop=0.0))
    fine = check(INT8, y=(REFERENCE,), accuracy=Accuracy(metric="mse", max_drop=0.01))

    assert [d.code for d in worse.diagnostics] == ["EC710"]
    assert (fine.status, fine.measures[0].limit) == ("verified", 0.01)


def test_an_artifact_far_from_the_model_is_ec712_as_a_warning() -> None:
    found = check(REVERSED)

    assert found.status == "verified"
    assert [(d.code, d.severity) for d in found.diagnostics] == [("EC712", Severity.WARNING)]
    assert "calibration" in found.diagnostics[0].help[0]


def test_noise_is_compared_but_never_scored() -> None:
    found = check(FLOAT, held_out=False, y=())

    assert (found.status, found.measures) == ("verified", ())
    assert found.summary.endswith("40 samples of noise")


@pytest.mark.parametrize("inputs", ["nan in the float model too", "in the artifact alone"])
def test_nan_in_an_output_is_ec711(inputs: str) -> None:
    x = X.copy()
    x[3, 1] = np.nan
    reference = np.maximum(x, 0) if inputs.startswith("nan") else REFERENCE

    found = check(FLOAT, x=(x,), reference=(reference,))

    assert (found.status, found.diagnostics[0].code) == ("failed", "EC711")
    too = "gives such values too" if inputs.startswith("nan") else "values are finite"
    assert too in found.diagnostics[0].notes[1]


def test_other_outputs_than_the_models_fail_with_ec713() -> None:
    found = check(FLOAT, reference=(REFERENCE[:, :3],))

    assert (found.status, found.diagnostics[0].code) == ("failed", "EC713")


@pytest.mark.parametrize("judge", JUDGES)
def test_a_model_that_no_interpreter_takes_fails_with_ec702(judge: str) -> None:
    found = check(one_operator.custom("Mystery"), judge)

    assert (found.status, found.diagnostics[0].code) == ("failed", "EC702")


def without(*names: str) -> Any:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name in names:
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    return version


def test_without_the_judge_verification_is_skipped_with_ec700(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", without("tflite-micro"))

    found = check(INT8, "tflite-micro")

    assert (found.status, found.summary) == ("skipped", "skipped: tflite-micro is missing")
    assert [(d.code, d.severity) for d in found.diagnostics] == [("EC700", Severity.WARNING)]
    assert "Python 3.10 or 3.11" in found.diagnostics[0].help[0]


def test_the_next_interpreter_is_asked_when_the_first_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    real = litert.candidates("tflite")
    absent = dataclasses.replace(real[0], name="tflite-runtime-of-tomorrow", version="9")

    def candidates(judge: str) -> tuple[litert.RuntimeInfo, ...]:
        return (absent, *real)

    def invoke(content: bytes, inputs: Any, **options: Any) -> litert.Outputs:
        if options["runtime"] is absent:
            raise litert.missing_interpreter("tflite")
        return invoked(content, inputs, **options)

    invoked = litert.invoke
    monkeypatch.setattr(litert, "candidates", candidates)
    monkeypatch.setattr(litert, "invoke", invoke)

    found = check(FLOAT)

    assert (found.status, found.runtime.split(",")[0]) == ("verified", str(real[0]))


def test_samples_that_do_not_fit_are_bad_input() -> None:
    with pytest.raises(BadInputError, match="EC701"):
        check(FLOAT, x=(X[:, :3],))


UNCHECKABLE = {
    "no labels": ({"y": ()}, "the data has no labels"),
    "noise": ({"y": (), "held_out": False}, "only noise"),
    "no float model": ({"reference": None}, "no float model"),
    "labels that suggest nothing": ({"y": (np.zeros((40, 9)),)}, "suggest no metric"),
}


@pytest.mark.parametrize(("change", "words"), UNCHECKABLE.values(), ids=UNCHECKABLE)
def test_a_limit_that_cannot_be_checked_is_ec717(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError) as raised:
        check(FLOAT, accuracy=Accuracy(max_drop=0.01), **change)

    assert raised.value.diagnostics[0].code == "EC717"
    assert words in raised.value.diagnostics[0].notes[1]


def test_a_metric_that_cannot_be_measured_is_ec717_as_a_warning() -> None:
    found = check(FLOAT, y=(), accuracy=Accuracy(metric="top1"))

    assert found.status == "verified"
    assert [(d.code, d.severity) for d in found.diagnostics] == [("EC717", Severity.WARNING)]


def test_verifying_twice_gives_the_same() -> None:
    assert check(INT8) == check(INT8)
