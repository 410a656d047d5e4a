"""Put the model's card into the model file: TFLite metadata, where the profile asks for it."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.emit.model_card import with_card
from edgecompile.frontend.data_labels import labels_of
from edgecompile.ir import reader, writer
from edgecompile.job import Job


def attach_card(job: Job) -> None:
    """Describe inputs, outputs, normalization and labels inside the file; everything later works on these bytes.

    Raises BadInputError EC284 for a labels file that cannot be read, EC760 for labels that match no output.
    """
    if not job.target.model_metadata:
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
