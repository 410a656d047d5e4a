"""Running models in child processes: what is fed, what comes back, how work is split."""

from __future__ import annotations

import numpy as np
import one_operator
import pytest

from edgecompile.core.errors import BadInputError, EdgecompileError, RejectedError
from edgecompile.libs import litert

TFLITE = litert.choose("tflite")
MICRO = litert.choose("tflite-micro")
RUNTIMES = [pytest.param(r, id=r.name) for r in litert.runtimes() if r.available and r.name != "tensorflow"]
needs_micro = pytest.mark.skipif(not MICRO.available, reason="tflite-micro is not installed")
QUANTIZED = {"dtype": "int8", "scale": 0.5, "zero_point": 10}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("workers", [1, 3])
def test_samples_come_back_in_order_however_many_processes_run_them(runtime: litert.RuntimeInfo, workers: int) -> None:
    x = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)

    given = litert.invoke(one_operator.relu((1, 5)), (x,), runtime=runtime, workers=workers)

    np.testing.assert_array_equal(given.arrays[0], np.maximum(x, 0))
    assert given.samples == 7
    assert given.described.startswith(f"{runtime.name} {runtime.version}, ")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_quantized_inputs_take_real_values_and_give_integers(runtime: litert.RuntimeInfo) -> None:
    x = np.array([[-1.0, 0.0, 2.26, 1000.0]], np.float32)

    given = litert.invoke(one_operator.relu((1, 4), **QUANTIZED), (x,), runtime=runtime, resolver="reference")

    assert given.arrays[0].tolist() == [[10, 10, 15, 127]]
    assert given.real()[0].tolist() == [[0.0, 0.0, 2.5, 58.5]]
    assert (given.inputs[0].scale, given.inputs[0].zero_point, given.inputs[0].dtype) == (0.5, 10, "int8")


def test_integers_of_the_inputs_dtype_are_raw_unless_they_are_said_to_be_real() -> None:
    x = np.array([[20, 0]], np.int8)
    model = one_operator.relu((1, 2), **QUANTIZED)

    raw = litert.invoke(model, (x,), runtime=TFLITE)
    real = litert.invoke(model, (x,), runtime=TFLITE, real=True)

    assert raw.arrays[0].tolist() == [[20, 10]]
    assert real.arrays[0].tolist() == [[50, 10]]


def test_a_batch_that_the_model_fixes_is_filled_and_cut() -> None:
    x = np.arange(-3, 4, dtype=np.float32).reshape(7, 1)

    given = litert.invoke(one_operator.relu((4, 1)), (x,), runtime=TFLITE, workers=1)

    assert given.arrays[0].ravel().tolist() == [0, 0, 0, 0, 1, 2, 3]


def test_samples_may_be_whole_tensors() -> None:
    x = np.ones((3, 4, 2), np.float32)

    given = litert.invoke(one_operator.relu((4, 2)), (x,), runtime=TFLITE)

    assert given.arrays[0].shape == (3, 4, 2)


def test_sizes_that_the_model_leaves_open_follow_the_samples() -> None:
    x = np.array([[-1.0, 2.0, -3.0]], np.float32)

    given = litert.invoke(one_operator.relu((1, 1), signature=(-1, -1)), (x,), runtime=TFLITE)

    assert given.arrays[0].tolist() == [[0.0, 2.0, 0.0]]


def test_two_inputs_are_fed_in_order() -> None:
    given = litert.invoke(
        one_operator.add((1, 2), (1, 2)), (np.ones((4, 2), np.float32), np.full((4, 2), 2, np.float32)), runtime=TFLITE
    )

    assert given.arrays[0].tolist() == [[3.0, 3.0]] * 4


def test_no_samples_give_empty_outputs() -> None:
    given = litert.invoke(one_operator.relu((1, 5)), (np.zeros((0, 5), np.float32),), runtime=TFLITE)

    assert given.arrays[0].shape == (0, 5)


class Counting:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def begin(self, stage: str, detail: str) -> None: ...

    def update(self, done: int, total: int, what: str) -> None:
        self.seen.append((done, total))

    def end(self, summary: str) -> None: ...


@pytest.mark.data
def test_progress_is_told_while_processes_share_the_work(data: object) -> None:
    content = (data / "cortexm" / "pretrainedResnet_quant.tflite").read_bytes()  # type: ignore[operator]
    listener = Counting()

    x = np.zeros((120, 32, 32, 3), np.int8)
    litert.invoke(content, (x,), runtime=TFLITE, resolver="reference", workers=2, progress=listener)

    assert listener.seen
    assert all(0 < done <= total == 120 for done, total in listener.seen)
    assert listener.seen == sorted(listener.seen)


MISFITS = {
    "one input too few": (one_operator.add((1, 2), (1, 2)), [np.zeros((1, 2), np.float32)], "EC701", "2 inputs"),
    "no input": (one_operator.relu((1, 2)), [], "EC701", "given: 0 inputs"),
    "a model of constants": (
        one_operator.model(
            "RELU", [one_operator.Spec(shape=(1,), value=np.ones(1, np.float32))], [one_operator.Spec(shape=(1,))]
        ),
        [],
        "EC701",
        "no inputs",
    ),
    "another shape": (one_operator.relu((1, 2)), [np.zeros((3, 5), np.float32)], "EC701", "found: 3 samples of [5]"),
    "a single number": (one_operator.relu((1, 2)), [np.float32(3)], "EC701", "a single number"),
    "unequal counts": (
        one_operator.add((1, 2), (1, 2)),
        [np.zeros((2, 2), np.float32), np.zeros((3, 2), np.float32)],
        "EC701",
        "[2, 3]",
    ),
    "texts": (one_operator.relu((1, 2)), [np.array([["a", "b"]])], "EC701", "dtype <U1"),
    "nan into int8": (
        one_operator.relu((1, 2), **QUANTIZED),
        [np.array([[0, 0], [0, np.nan]], np.float32)],
        "EC705",
        "found: nan at [1] of sample 1",
    ),
    "fractions as indices": (one_operator.gather(np.eye(3), 1), [np.array([[0.5]])], "EC705", "fractions"),
    "an index beyond int32": (one_operator.gather(np.eye(3), 1), [np.array([[2**40]])], "EC705", "int32 holds"),
}


@pytest.mark.parametrize(("model", "inputs", "code", "words"), MISFITS.values(), ids=MISFITS)
def test_inputs_that_do_not_fit_are_told(model: bytes, inputs: list[np.ndarray], code: str, words: str) -> None:
    with pytest.raises(BadInputError) as raised:
        litert.invoke(model, inputs, runtime=TFLITE, workers=1)

    assert raised.value.diagnostics[0].code == code
    assert words in raised.value.diagnostics[0].render()


def test_micro_refuses_open_sizes_in_words() -> None:
    if not MICRO.available:
        pytest.skip("tflite-micro is not installed")
    x = np.zeros((1, 3), np.float32)

    with pytest.raises(BadInputError, match="EC701"):
        litert.invoke(one_operator.relu((1, 1), signature=(-1, -1)), (x,), runtime=MICRO)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_operator_that_the_interpreter_lacks_is_ec702(runtime: litert.RuntimeInfo) -> None:
    with pytest.raises(RejectedError) as raised:
        litert.invoke(one_operator.custom("Mystery"), (np.zeros((1, 4), np.float32),), runtime=runtime)

    assert raised.value.diagnostics[0].code == "EC702"
    assert runtime.name in raised.value.diagnostics[0].message


BROKEN = {"random": bytes(range(256)) * 8, "empty": b"", "cut": one_operator.relu((1, 4))[:60]}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_broken_files_never_take_the_caller_down(runtime: litert.RuntimeInfo, content: bytes) -> None:
    with pytest.raises(EdgecompileError) as raised:
        litert.invoke(content, (np.zeros((1, 4), np.float32),), runtime=runtime)

    assert raised.value.diagnostics[0].code in ("EC702", "EC704")


@pytest.mark.data
@needs_micro
def test_a_crash_of_the_interpreter_is_ec704_with_its_signal(data: object) -> None:
    path = data / "tflite" / "google-coral__test_data__a7a16572__model_invoking_error.tflite"  # type: ignore[operator]

    with pytest.raises(RejectedError) as raised:
        litert.ports(path.read_bytes(), runtime=MICRO, name=path.name)

    assert raised.value.diagnostics[0].code == "EC704"
    assert "SIGSEGV" in raised.value.diagnostics[0].message


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_fails_on_a_sample_names_it_ec703(workers: int) -> None:
    indices = np.array([[0], [1], [7], [2]], np.int32)

    with pytest.raises(RejectedError) as raised:
        litert.invoke(one_operator.gather(np.eye(3), 1), (indices,), runtime=TFLITE, workers=workers)

    assert raised.value.diagnostics[0].code == "EC703"
    assert raised.value.diagnostics[0].notes[0] == "sample 2"


@needs_micro
def test_an_arena_beyond_reach_is_ec706() -> None:
    with pytest.raises(RejectedError) as raised:
        litert.ports(one_operator.relu((1, 512 * 1024 * 1024)), runtime=MICRO)

    assert raised.value.diagnostics[0].code == "EC706"
    assert "limit: 512 MiB" in raised.value.diagnostics[0].notes


@needs_micro
def test_the_arena_grows_until_the_model_fits() -> None:
    x = np.full((1, 300_000), -1, np.float32)

    given = litert.invoke(one_operator.relu((1, 300_000)), (x,), runtime=MICRO)

    assert not given.arrays[0].any()


@pytest.mark.data
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_each_sample_starts_from_a_fresh_state(data: object, runtime: litert.RuntimeInfo) -> None:
    path = data / "tflite" / "tensorflow__tflite-micro__47943099__trained_lstm.tflite"  # type: ignore[operator]
    x = np.repeat(np.random.default_rng(0).normal(size=(1, 28, 28)), 3, axis=0).astype(np.float32)

    given = litert.invoke(path.read_bytes(), (x,), runtime=runtime)

    np.testing.assert_array_equal(given.arrays[0][1:], given.arrays[0][:1].repeat(2, axis=0))


@pytest.mark.data
@needs_micro
def test_tflite_runtimes_plain_kernels_equal_micro_exactly(data: object) -> None:
    runtime = litert.choose("tflite-runtime")
    if not runtime.available:
        pytest.skip("tflite-runtime is not installed")
    content = (data / "cortexm" / "pretrainedResnet_quant.tflite").read_bytes()  # type: ignore[operator]
    x = np.random.default_rng(0).integers(-128, 128, (10, 32, 32, 3)).astype(np.int8)

    plain = litert.invoke(content, (x,), runtime=runtime, resolver="reference")
    micro = litert.invoke(content, (x,), runtime=MICRO)

    np.testing.assert_array_equal(plain.arrays[0], micro.arrays[0])


@pytest.mark.tensorflow
@pytest.mark.slow
def test_tensorflows_own_interpreter_is_the_last_resort() -> None:
    x = np.array([[-1.0, 2.0]], np.float32)

    given = litert.invoke(one_operator.relu((1, 2)), (x,), runtime=litert.choose("tensorflow"))

    assert given.arrays[0].tolist() == [[0.0, 2.0]]


def test_timing_keeps_warm_up_apart() -> None:
    timed = litert.time_model(one_operator.relu((1, 2)), runtime=TFLITE, runs=5, warm_up=3, threads=1)

    assert (len(timed["warm_up_s"]), len(timed["runs_s"])) == (3, 5)
    assert min(timed["runs_s"]) > 0
