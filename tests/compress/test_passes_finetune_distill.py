"""The passes that only train: their options reach the trainer, and what they promise is held."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import training_networks as nets

from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.option import keys_of
from edgecompile.compress.passes import distill, finetune
from edgecompile.compress.passes.distill import Distill
from edgecompile.compress.passes.finetune import Finetune
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.subject import Distillation, Held, Subject
from edgecompile.compress.training.options import Training
from edgecompile.core.errors import BadInputError
from edgecompile.ir.network import Network


def caught(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, result: Subject | None = None
) -> list[tuple[Subject, Training]]:
    """What a pass gives to the trainer, which gives ``result`` back, or what it was given."""
    calls: list[tuple[Subject, Training]] = []

    def train(subject: Subject, how: Training, context: object) -> Subject:
        calls.append((subject, how))
        return result or subject

    monkeypatch.setattr(module, "train", train)
    return calls


def test_options_reach_the_trainer() -> None:
    step = Finetune(epochs=7, learning_rate=0.5, batch_size=9, optimizer="sgd", schedule="constant", augment=("flip",))

    how = step.training()

    assert how == Training(
        epochs=7, learning_rate=0.5, batch_size=9, optimizer="sgd", schedule="constant", augment=("flip",)
    )


def test_every_option_says_what_it_is_and_what_it_may_hold() -> None:
    assert set(keys_of(Distill)) >= set(keys_of(Finetune)) | {"teacher", "features"}
    assert keys_of(Finetune)["augment"].choices == ("flip", "shift", "noise", "mixup", "time_shift")


def test_both_keep_all_that_was_made_and_make_nothing() -> None:
    for step in (Finetune(), Distill()):
        assert step.keeps == frozenset(PROPERTIES)
        assert step.makes == frozenset()
        assert step.trains
        assert not replace(step, epochs=0).trains


def test_distill_names_teacher_and_shares_for_the_steps_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    big = nets.dense(hidden=32)
    context = nets.context(teachers={"big.keras": lambda: big})
    calls = caught(monkeypatch, distill)

    step = Distill(teacher="big.keras", temperature=4.0, feature_weight=0.5, features=("hidden",))
    after = step.run(Subject(network=nets.dense(), teacher=nets.dense()), context)

    assert after.teacher is big
    assert after.distillation == Distillation(
        teacher_weight=0.7, temperature=4.0, feature_weight=0.5, features=("hidden",)
    )
    assert calls == [(after, step.training())]


def test_the_network_itself_teaches_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nets.dense()
    caught(monkeypatch, distill)

    after = Distill().run(Subject(network=network), nets.context())

    assert after.teacher is network


def test_a_teacher_that_was_not_given_is_refused_with_the_near_name() -> None:
    context = nets.context(teachers={"big.keras": nets.dense})

    with pytest.raises(BadInputError, match="EC319") as raised:
        Distill(teacher="bigg.keras").run(Subject(network=nets.dense()), context)

    assert raised.value.diagnostics[0].help == ("did you mean `big.keras`?",)


def with_weights(network: Network, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Network:
    tensors = list(network.main.tensors)
    tensors[1] = nets.tensor("w1", tensors[1].shape, values=values)
    return replace(network, subgraphs=(replace(network.main, tensors=tuple(tensors)),))


@pytest.mark.parametrize(
    ("held", "said"),
    [
        pytest.param(Held(zeros=np.ones((16, 8), bool)), "held at zero", id="zeros"),
        pytest.param(
            Held(codes=np.zeros((16, 8), np.int8), scales=np.ones(16, np.float32)), "not those of its codes", id="codes"
        ),
        pytest.param(
            Held(codes=np.eye(16, 8, dtype=np.int8), scales=np.ones(16, np.float32), centroids=1),
            "2 values, and 1",
            id="centroids",
        ),
        pytest.param(
            Held(codes=np.full((16, 8), 8, np.int8), scales=np.ones(16, np.float32), bits=4), "4 bits", id="bits"
        ),
    ],
)
def test_broken_promises_are_told(held: Held, said: str) -> None:
    before = Subject(network=nets.dense(), held={"hidden": held})

    found = broken_promises(before, before)

    assert {d.code for d in found} == {"EC307"}
    assert any(said in d.message for d in found)


def test_kept_promises_are_not_told() -> None:
    codes = (np.arange(128).reshape(16, 8) % 5).astype(np.int8)
    network = with_weights(nets.dense(), (codes * np.float32(0.25)).astype(np.float32))
    held = Held(codes=codes, scales=np.full(16, 0.25, np.float32), centroids=5, zeros=codes == 0)
    subject = Subject(network=network, held={"hidden": held})

    assert broken_promises(subject, subject) == ()
    assert len(broken_promises(subject, replace(subject, held={}))) == 1


@pytest.mark.tensorflow
def test_both_train_and_keep_their_promise() -> None:
    before = Subject(network=nets.dense(), held={"logits": Held(zeros=np.arange(48).reshape(3, 16) % 2 == 0)})
    options = {"epochs": 1, "learning_rate": 0.1, "batch_size": 64}

    for step in (Finetune(**options), Distill(**options)):
        after = step.run(before, nets.context(score=None))
        assert not np.array_equal(after.network.main.tensors[1].array, before.network.main.tensors[1].array)
        assert step.ensures(before, after) == ()


@pytest.mark.parametrize("other", [False, True], ids=["itself", "another"])
def test_a_network_does_not_learn_from_itself_and_teaches_what_follows(
    other: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, result = nets.dense(), Subject(network=nets.dense(seed=3))
    calls = caught(monkeypatch, finetune, result)

    after = Finetune().run(Subject(network=network, teacher=nets.dense() if other else network), nets.context())

    assert calls[0][1].teacher_weight == (None if other else 0.0)
    assert after.teacher is (None if other else result.network)
