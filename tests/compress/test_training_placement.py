"""Training on several devices through `tf.distribute`: two logical processors find what one finds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow
# The same sums in another order, over as many steps as an epoch has. With batch norms their errors pass through
# inverse roots of variances, so that more of them is left.
TOLERANCES = {"dense": 1e-5, "integers": 1e-5, "convolution": 2e-4, "teacher": 2e-4, "odd": 1e-5, "pruned": 2e-4}

# A process of its own: devices are divided before TensorFlow begins, and once.
SCRIPT = """
import json, sys
from dataclasses import replace
import numpy as np
from edgecompile.libs.keras import tensorflow
tf = tensorflow()
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
sys.path.insert(0, sys.argv[1])
import training_networks as nets
from edgecompile.compress.passes.prune import Prune
from edgecompile.compress.subject import Distillation, Subject
from edgecompile.compress.training import placement, trainer
from edgecompile.compress.training.options import Training

how = Training(epochs=1, learning_rate=0.05, batch_size=32, optimizer="sgd")
image = dict(train=nets.samples(256, (8, 8, 2)), validation=nets.samples(64, (8, 8, 2), seed=2), score=None)
pairs = Distillation(teacher_weight=0.5, temperature=2.0, feature_weight=0.5)
cases = {
    "dense": lambda: trainer.train(Subject(network=nets.dense()), how, nets.context(score=None)),
    "integers": lambda: trainer.train(Subject(network=nets.integer()), how, nets.context(score=None)),
    "convolution": lambda: trainer.train(Subject(network=nets.convolution()), how, nets.context(**image)),
    "teacher": lambda: trainer.train(
        Subject(network=nets.convolution(), teacher=nets.convolution(seed=5), distillation=pairs),
        how, nets.context(**image)),
    "odd": lambda: trainer.train(
        Subject(network=nets.dense()), replace(how, batch_size=27), nets.context(score=None)),
    "pruned": lambda: Prune(sparsity=0.5, epochs=2, learning_rate=0.05).run(
        Subject(network=nets.convolution()), nets.context(**image)),
}
found = {}
for devices in ((), ("/CPU:0", "/CPU:1")):
    trainer.placement = lambda devices=devices: placement.placed(devices)
    calls = []
    run = tf.distribute.MirroredStrategy.run
    def counted(self, *given, **named):
        calls.append(self.num_replicas_in_sync)
        return run(self, *given, **named)

    tf.distribute.MirroredStrategy.run = counted
    for name, train in cases.items():
        constants = [one.tolist() for one in nets.constants(train().network)]
        found[f"{name} {len(devices)}"] = constants
    tf.distribute.MirroredStrategy.run = run
    found[f"replicas {len(devices)}"] = sorted(set(calls))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    here = str(Path(__file__).parent)
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, here], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", TOLERANCES)
def test_two_devices_learn_what_one_would(name: str, found: dict[str, Any]) -> None:
    alone, shared = found[f"{name} 0"], found[f"{name} 2"]

    assert len(alone) == len(shared)
    for one, other in zip(alone, shared, strict=True):
        assert np.allclose(one, other, atol=TOLERANCES[name], rtol=1e-3)


def test_a_batch_is_shared_by_tf_distribute_where_there_are_several_devices_only(found: dict[str, Any]) -> None:
    assert found["replicas 0"] == []
    assert found["replicas 2"] == [2]
