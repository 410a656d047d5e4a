"""Put the model's card into the model file: TFLite metadata, where the profile asks for it."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.emit.model_card import with_card
from edgecompile.frontend.data_check_labels import other_count
from edgecompile.frontend.data_labels import labels_of
from edgecompile.ir import reader, writer
from edgecompile.job import Job


def attach_card(job: Job) -> None:
    """Describe inputs, outputs, normalization and labels inside the file; everything later works on these bytes.

    Without a card, labels that match no output are a warning, EC284. Raises BadInputError EC284 for a labels file that
    cannot be read, EC760 for labels of a card that match no output.
    """
    if not job.target.model_metadata:
        job.diagnostics += _mismatch(job)
        return
    assert job.network is not None
    dataset = job.lowered.dataset
    labels = dataset.labels if dataset is not None else labels_of(job.project.data, job.project.base)
    data = job.project.data
    # Features are numbers to whoever feeds the model, not sound.
    heard = data.preprocess if data.features.kind is None else replace(data.preprocess, sample_rate=None)
    described = with_card(job.network, job.name, labels, heard)
    if described is not job.network:
        job.content = writer.write(described)
        job.network = reader.read(job.content, f"{job.name}.tflite")


def _mismatch(job: Job) -> tuple[Diagnostic, ...]:
    """Where there is data, it has been held against the labels when it was read. Integers may be indices of classes."""
    assert job.network is not None
    labels = () if job.lowered.dataset is not None else labels_of(job.project.data, job.project.base)
    outputs = [job.network.main.tensors[index] for index in job.network.main.outputs]
    sizes = tuple(tensor.shape[-1] if tensor.shape else 1 for tensor in outputs)
    one_for_two = len(labels) == 2 and 1 in sizes
    if not labels or len(labels) in sizes or one_for_two or any(t.dtype in ("int32", "int64") for t in outputs):
        return ()
    return (other_count(labels, job.project.data.labels, sizes),)
