"""Training: it learns, keeps promises, goes on after a kill, and tells what it cannot do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import training_networks as nets

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.simulate.run import run
from edgecompile.compress.subject import Distillation, Held, Subject
from edgecompile.compress.training import course as courses
from edgecompile.compress.training import learner as learners
from edgecompile.compress.training.judge import Judge
from edgecompile.compress.training.made_worse import made_worse
from edgecompile.compress.training.options import Training
from edgecompile.compress.training.trainer import train
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.ir.network import Network
from edgecompile.libs.keras import tensorflow

pytestmark = pytest.mark.tensorflow
QUICK = Training(epochs=3, learning_rate=0.2, batch_size=32)
LEARNED = 0.8  # nine in ten are the most that the samples allow, and an untrained network is right in a third


def accuracy(network: Network, some: Samples) -> float:
    return nets.ACCURACY.of(run(network, some.x)[0], some)


@pytest.mark.parametrize(
    ("network", "how"),
    [
        pytest.param(nets.dense(), QUICK, id="adam"),
        pytest.param(nets.dense(), replace(QUICK, optimizer="sgd"), id="momentum"),
        pytest.param(nets.dense(end=None), QUICK, id="open end"),
        pytest.param(nets.dense(end="LOGISTIC"), QUICK, id="sigmoid for each class"),
        pytest.param(nets.integer(), QUICK, id="integers"),
    ],
)
def test_training_teaches_a_network_its_labels(network: Network, how: Training) -> None:
    context = nets.context()

    trained = train(Subject(network=network), how, context)

    fresh = nets.samples(200, seed=3)
    assert accuracy(network, fresh) < 0.7
    assert accuracy(trained.network, fresh) > LEARNED
    assert context.diagnostics == []


def test_a_convolution_is_trained_with_batch_norm_and_folded() -> None:
    network = nets.convolution()
    data = nets.samples(256, (8, 8, 2))
    context = nets.context(train=data, validation=nets.samples(64, (8, 8, 2), seed=2))

    trained = train(Subject(network=network), QUICK, context)

    assert [op.name for op in trained.network.main.operators] == [op.name for op in network.main.operators]
    assert accuracy(trained.network, data) > accuracy(network, data) + 0.2


def test_values_are_learned_by_mean_squared_error() -> None:
    x = nets.samples(256).x[0]
    y = (x[:, :3] * 100 + 7).astype(np.float32)
    network = nets.dense(end=None)

    how = Training(epochs=10, learning_rate=0.3, batch_size=32)
    trained = train(
        Subject(network=network), how, nets.context(train=Samples(x=(x,), y=(y,)), validation=None, score=None)
    )

    outputs = run(trained.network, [x])[0][0]
    assert np.mean((outputs - y) ** 2) < 0.3 * np.var(y)


def test_without_labels_the_network_learns_from_its_teacher_and_says_so() -> None:
    teacher = train(Subject(network=nets.dense()), QUICK, nets.context()).network
    unlabelled = nets.context(train=Samples(x=nets.samples(256).x), score=None, validation=None)
    how = replace(QUICK, epochs=6)

    student = train(Subject(network=nets.dense(seed=5), teacher=teacher), how, unlabelled)

    assert [d.code for d in unlabelled.diagnostics] == ["EC310"]
    assert accuracy(student.network, nets.samples(200, seed=3)) > LEARNED


def test_calibration_samples_stand_in_for_training_samples() -> None:
    context = nets.context(train=None, validation=None, score=None, calibration=nets.samples(256))

    train(Subject(network=nets.dense(seed=5), teacher=nets.dense()), replace(QUICK, epochs=1), context)

    assert [d.code for d in context.diagnostics] == ["EC310"]
    assert "256 calibration samples" in context.diagnostics[0].notes[0]


def test_inner_tensors_come_closer_to_the_teachers() -> None:
    teacher, network, x = nets.dense(seed=1), nets.dense(seed=5), nets.samples(256).x
    taught = Subject(
        network=network, teacher=teacher, distillation=Distillation(feature_weight=5.0, features=("hidden",))
    )

    trained = train(taught, replace(QUICK, epochs=6), nets.context(score=None))

    wanted = run(teacher, x, watch=[3])[1][3]
    before, after = (np.mean((run(n, x, watch=[3])[1][3] - wanted) ** 2) for n in (network, trained.network))
    assert after < before / 2


def test_that_no_inner_tensor_can_be_matched_is_told() -> None:
    context = nets.context()
    narrow = nets.dense(hidden=8)
    taught = Subject(network=narrow, teacher=nets.dense(), distillation=Distillation(feature_weight=1.0))

    train(taught, replace(QUICK, epochs=1), context)

    (told,) = [one for one in context.diagnostics if one.code == "EC315"]
    assert (told.severity.value, told.location.detail) == ("warning", "`feature_weight`")


def test_zeros_and_codes_that_are_held_stay() -> None:
    network = nets.dense()
    weights = network.main.tensors[1].array
    scales = np.full(16, 0.1, np.float32)
    codes = np.clip(np.rint(weights / 0.1), -7, 7).astype(np.int8)
    held = {
        "hidden": Held(codes=codes, scales=scales, centroids=len(np.unique(codes))),
        "logits": Held(zeros=np.arange(48).reshape(3, 16) % 2 == 0),
    }

    trained = train(Subject(network=network, held=held), QUICK, nets.context())

    promise = trained.held["hidden"]
    assert np.array_equal(trained.network.main.tensors[1].array, promise.scales[:, None] * promise.codes)
    assert len(np.unique(promise.codes)) <= promise.centroids
    assert not trained.network.main.tensors[4].array[held["logits"].zeros].any()


class Killed(Exception):
    """Stands for a kill of the process."""


def killed_in_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    finish = courses.Course._finish_epoch

    def die(self: Any, standing: Any, loss: float) -> None:
        if standing.epoch + 1 == epoch:
            raise Killed
        finish(self, standing, loss)

    monkeypatch.setattr(courses.Course, "_finish_epoch", die)


def pruning(step: int, steps: int, simulation: Any) -> bool:
    """More zeros at a third of the way, and at two thirds: by the magnitude that the weights have then."""
    if step in (0, steps // 3, 2 * steps // 3):
        for key, variable in simulation.weights.items():
            size = np.abs(variable.numpy())
            simulation.set_zeros(key, size < np.quantile(size, 0.75 * step / steps))
    return step >= 2 * steps // 3


@pytest.mark.parametrize(
    ("network", "how", "adjust"),
    [
        pytest.param(nets.dense(), replace(QUICK, augment=("noise", "mixup")), None, id="augmented"),
        pytest.param(nets.dense(), QUICK, pruning, id="pruned on the way"),
        pytest.param(nets.integer(), QUICK, None, id="integers"),
    ],
)
def test_a_killed_run_ends_with_the_same_bits(
    network: Network, how: Training, adjust: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = Subject(network=network)
    whole = train(subject, how, nets.context(folder=tmp_path / "a"), adjust=adjust)

    with monkeypatch.context() as patch:
        killed_in_epoch(patch, 3)
        with pytest.raises(Killed):
            train(subject, how, nets.context(folder=tmp_path / "b"), adjust=adjust)
    context = nets.context(folder=tmp_path / "b")
    resumed = train(subject, how, context, adjust=adjust)

    assert context.taken_over == [f"2 of {how.epochs} epochs"]
    for one, other in zip(nets.constants(whole.network), nets.constants(resumed.network), strict=True):
        assert np.array_equal(one, other)
    for key, promise in whole.held.items():
        assert np.array_equal(promise.zeros, resumed.held[key].zeros)


def test_a_finished_run_is_read_back(tmp_path: Path) -> None:
    first = train(Subject(network=nets.dense()), QUICK, nets.context(folder=tmp_path))
    listener = nets.Listener()

    context = nets.context(folder=tmp_path, progress=listener)
    again = train(Subject(network=nets.dense()), QUICK, context)

    assert listener.heard == []
    assert context.taken_over == [f"{QUICK.epochs} of {QUICK.epochs} epochs"]
    for one, other in zip(nets.constants(first.network), nets.constants(again.network), strict=True):
        assert np.array_equal(one, other)


def test_another_option_or_identity_does_not_find_the_checkpoints(tmp_path: Path) -> None:
    subject, how = Subject(network=nets.dense()), replace(QUICK, epochs=1)

    train(subject, how, nets.context(folder=tmp_path))
    train(subject, replace(how, learning_rate=0.1), nets.context(folder=tmp_path))
    train(subject, how, nets.context(folder=tmp_path), identity="other")

    assert len(list(tmp_path.iterdir())) == 3


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    whole = train(Subject(network=nets.dense()), QUICK, nets.context(folder=tmp_path))
    newest = max(tmp_path.glob("*/*.checkpoint"))
    newest.write_bytes(newest.read_bytes()[:-100])
    context = nets.context(folder=tmp_path)

    again = train(Subject(network=nets.dense()), QUICK, context)

    assert [d.code for d in context.diagnostics] == ["EC317"]
    for one, other in zip(nets.constants(whole.network), nets.constants(again.network), strict=True):
        assert np.array_equal(one, other)


def test_a_network_that_gets_worse_is_given_back_as_it_came() -> None:
    good = train(Subject(network=nets.dense()), QUICK, nets.context())
    wrong = nets.samples(256)
    wrong = Samples(x=wrong.x, y=((wrong.y[0] + 1) % 3,))

    kept = train(good, QUICK, nets.context(train=wrong))

    for one, other in zip(nets.constants(good.network), nets.constants(kept.network), strict=True):
        assert np.array_equal(one, other)


def test_a_lead_by_chance_over_what_was_trained_does_not_undo_it() -> None:
    judge = Judge(samples=nets.samples(400), score=nets.ACCURACY, tasks=())

    assert judge.by_chance([0.9, 0.8, 0.9, 0.8], [0.8, 0.9, 0.9, 0.79])
    assert not judge.by_chance([0.9, 0.8, 0.9, 0.8], [0.8, 0.7, 0.79, 0.7])
    assert not judge.by_chance([], [])


def test_a_trained_network_stays_where_the_one_that_came_leads_by_a_sample() -> None:
    came = Subject(network=nets.dense())
    held_out = nets.samples(400, seed=5)
    flattered = Samples(x=held_out.x, y=(run(came.network, held_out.x)[0][0].argmax(-1),))
    much, little = (replace(QUICK, learning_rate=rate) for rate in (0.2, 1e-5))

    harmed = train(came, much, nets.context(validation=flattered))
    moved = train(came, little, nets.context(validation=flattered))

    assert np.array_equal(nets.constants(harmed.network)[0], nets.constants(came.network)[0])
    assert not np.array_equal(nets.constants(moved.network)[0], nets.constants(came.network)[0])


def test_patience_ends_a_run_that_does_not_get_better() -> None:
    good = train(Subject(network=nets.dense()), QUICK, nets.context())
    wrong = nets.samples(256)
    wrong = Samples(x=wrong.x, y=((wrong.y[0] + 1) % 3,))
    listener = nets.Listener()

    train(good, replace(QUICK, epochs=20, patience=2), nets.context(train=wrong, progress=listener))

    assert listener.heard[-1][:2] == (24, 160)  # the first epoch is the best, two more wait


def test_a_long_run_that_does_not_get_better_ends_by_itself_and_says_so() -> None:
    good = train(Subject(network=nets.dense()), QUICK, nets.context())
    wrong = nets.samples(256)
    wrong = Samples(x=wrong.x, y=((wrong.y[0] + 1) % 3,))
    listener = nets.Listener()
    context = nets.context(train=wrong, progress=listener)

    train(good, replace(QUICK, epochs=40), context)

    done, total, _ = listener.heard[-1]
    assert 30 * 8 <= done < total == 40 * 8
    assert [said.code for said in context.diagnostics] == ["EC328", "EC336"]


def test_a_run_that_ended_by_itself_is_resumed_to_the_same_note(tmp_path: Path) -> None:
    wrong = nets.samples(256)
    wrong = Samples(x=wrong.x, y=((wrong.y[0] + 1) % 3,))
    how = replace(QUICK, epochs=12, schedule="constant")
    first, again = (nets.context(train=wrong, folder=tmp_path) for _ in range(2))

    one, other = (train(Subject(network=nets.dense()), how, context) for context in (first, again))

    assert first.diagnostics == again.diagnostics
    for a, b in zip(nets.constants(one.network), nets.constants(other.network), strict=True):
        assert np.array_equal(a, b)


def test_a_loss_that_is_no_number_stops_training_and_keeps_the_best_state() -> None:
    context = nets.context()

    kept = train(Subject(network=nets.dense()), replace(QUICK, learning_rate=1e38, clip=0.0), context)

    assert [d.code for d in context.diagnostics] == ["EC311"]
    assert context.diagnostics[0].message.startswith("training stopped at step 2 of 24: ")
    assert context.diagnostics[0].notes[1] == "kept: the network from before training"
    assert context.diagnostics[0].help[0] == "lower it: `learning_rate = 0.001`"
    assert all(np.isfinite(array).all() for array in nets.constants(kept.network))


@pytest.mark.parametrize(
    ("rate", "usual", "lower"),
    [
        pytest.param(1e30, 2e-4, "0.0002", id="far-too-high"),
        pytest.param(0.05, 1e-3, "0.001", id="high"),
        pytest.param(5e-4, 1e-3, "5e-05", id="low-already"),
    ],
)
def test_the_rate_that_is_advised_is_lower_and_one_that_the_pass_would_take(
    rate: float, usual: float, lower: str
) -> None:
    how = Training(learning_rate=rate, usual_rate=usual)

    told = made_worse(how.part(2, slower=2), "", Judge(samples=None, score=None, tasks=()), 0.5, 0.7, proven=True)

    assert told.help[0] == f"lower it: `learning_rate = {lower}`"
    assert f"learning rate {rate:g}" in told.notes[1]


def test_a_part_of_a_steps_epochs_is_told_as_a_part() -> None:
    listener = nets.Listener()
    how = replace(QUICK, epochs=5, usual_rate=1e-3).part(2, before=3, slower=2)

    train(Subject(network=nets.dense()), how, nets.context(progress=listener))

    done, total, what = listener.heard[-1]
    assert (done, total) == (40, 40)
    assert "epoch 5 of 5, loss " in what


@pytest.mark.parametrize(("samples", "severity"), [(400, "warning"), (30, "note")], ids=["proven", "few"])
def test_training_that_made_the_network_worse_is_told(samples: int, severity: str) -> None:
    good = train(Subject(network=nets.dense()), QUICK, nets.context())
    wrong = nets.samples(256)
    wrong = Samples(x=wrong.x, y=((wrong.y[0] + 1) % 3,))
    context = nets.context(train=wrong, validation=nets.samples(samples, seed=2), step="finetune")

    kept = train(good, replace(QUICK, teacher_weight=0.0), context)

    (told,) = context.diagnostics
    assert (told.code, told.severity.value, str(told.location)) == ("EC336", severity, "`finetune`")
    assert f"on {samples} held-out samples: 0." in told.notes[0]
    for a, b in zip(nets.constants(kept.network), nets.constants(good.network), strict=True):
        assert np.array_equal(a, b)


def test_a_loss_that_is_no_number_refuses_what_is_not_yet_made() -> None:
    with pytest.raises(RejectedError, match="EC311"):
        train(
            Subject(network=nets.dense()),
            replace(QUICK, learning_rate=1e38, clip=0.0),
            nets.context(),
            adjust=lambda step, steps, simulation: False,
        )


def test_progress_tells_loss_and_score() -> None:
    listener = nets.Listener()

    train(Subject(network=nets.dense()), QUICK, nets.context(progress=listener))

    done, total, what = listener.heard[-1]
    assert (done, total) == (24, 24)
    assert "epoch 3 of 3, loss " in what
    assert "accuracy " in what


def test_no_epochs_change_nothing() -> None:
    subject = Subject(network=nets.dense())

    assert train(subject, replace(QUICK, epochs=0), nets.context()) is subject


def test_running_out_of_memory_names_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(self: Any) -> Any:
        raise MemoryError("no room for 4 GiB")

    monkeypatch.setattr(courses.Course, "run", exhausted)

    with pytest.raises(RejectedError, match=r"EC314.*batches of 32"):
        train(Subject(network=nets.dense()), QUICK, nets.context())


@pytest.mark.parametrize("folder", [True, False], ids=["kept", "nothing-kept"])
def test_running_out_of_memory_says_where_and_what_is_kept(
    folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, calls = courses.Learner.step, iter(range(100))

    def hungry(self: Any, *given: Any) -> float:
        if next(calls) < 9:
            return step(self, *given)
        told = "Graph execution error:\n\nDetected at node Conv2D\nOOM when allocating tensor with shape[900,64,64,32]"
        raise tensorflow().errors.ResourceExhaustedError(None, None, told)

    monkeypatch.setattr(courses.Learner, "step", hungry)
    context = nets.context(folder=tmp_path if folder else None, step="finetune epochs 3")

    with pytest.raises(RejectedError, match="EC314") as caught:
        train(Subject(network=nets.dense()), QUICK, context)

    (told,) = caught.value.diagnostics
    kept = "kept: the state after epoch 1, from which the same command goes on" if folder else "kept: nothing"
    assert str(told.location) == "`finetune epochs 3`"
    assert told.notes[0] == "in epoch 2 of 3"
    assert told.notes[1].startswith(kept)
    assert told.notes[2] == "OOM when allocating tensor with shape[900,64,64,32]"
    assert told.help[0].startswith("make batches smaller: `batch_size = 8`")


def one_input_more(network: Network) -> Network:
    return replace(network, subgraphs=(replace(network.main, inputs=(0, 0)),))


@pytest.mark.parametrize(
    ("code", "subject", "how", "changes"),
    [
        ("EC312", Subject(network=nets.dense()), QUICK, {"train": nets.samples(10)}),
        ("EC313", Subject(network=nets.dense(classes=2)), QUICK, {}),
        ("EC315", Subject(network=nets.dense(), teacher=nets.dense(classes=4)), QUICK, {}),
        (
            "EC315",
            Subject(
                network=nets.dense(),
                teacher=nets.dense(),
                distillation=Distillation(feature_weight=1.0, features=("hiden",)),
            ),
            QUICK,
            {},
        ),
        ("EC318", Subject(network=nets.dense()), replace(QUICK, augment=("flip",)), {}),
    ],
)
def test_what_does_not_fit_is_refused(code: str, subject: Subject, how: Training, changes: dict[str, Any]) -> None:
    context: Context = nets.context(**changes)

    with pytest.raises((BadInputError, RejectedError)) as raised:
        train(subject, how, context)

    assert [d.code for d in raised.value.diagnostics] == [code]
    assert raised.value.diagnostics[0].notes
    assert raised.value.diagnostics[0].help


def test_a_network_without_weights_has_nothing_to_train() -> None:
    tensors = [nets.tensor("in", (1, 8)), nets.tensor("zero", (1, 8))]
    network = nets.ended(tensors, [], 0, "SOFTMAX")

    with pytest.raises(RejectedError, match="EC316"):
        train(Subject(network=network), QUICK, nets.context())


def test_too_few_samples_to_hold_out_are_told_and_the_last_epoch_is_kept() -> None:
    context = nets.context(train=nets.samples(40), validation=None)

    train(Subject(network=nets.dense()), QUICK, context)

    assert [d.code for d in context.diagnostics] == ["EC312"]


def test_augmented_batches_are_what_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray[Any, Any]] = []
    step = learners.Learner.step

    def looked_at(self: Any, x: Any, targets: Any, learning_rate: float, number: int) -> float:
        seen.append(x[0])
        return step(self, x, targets, learning_rate, number)

    monkeypatch.setattr(learners.Learner, "step", looked_at)
    context = nets.context()

    train(Subject(network=nets.dense()), replace(QUICK, epochs=1, augment=("noise",)), context)

    given = {bytes(row) for row in context.train.x[0]}
    assert len(seen) == 8
    assert not any(bytes(row) in given for batch in seen for row in batch)
