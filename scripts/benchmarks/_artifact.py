"""An emitted int8 artifact, whoever made it: its accuracy, and what its weights take."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from edgecompile.compress.record import codes_of, stored_bytes
from edgecompile.compress.sites import sites_of
from edgecompile.compress.subject import Subject
from edgecompile.ir import reader
from edgecompile.kernels.weight_forms import FORMS
from edgecompile.libs import litert

Array = np.ndarray[Any, Any]


def top1(content: bytes, x: Array, y: Array) -> float:
    """The share of right answers, run by the interpreter of TensorFlow Lite."""
    runtime = litert.choose("tflite")
    outputs = litert.invoke(content, (x,), runtime=runtime, resolver="default", real=True).real()[0]
    return float((outputs.reshape(len(x), -1).argmax(-1) == y).mean())


def weights(content: bytes) -> dict[str, Any]:
    """Sparsity, distinct values (largest of all tensors), bytes dense and as our kernels store them, gzip, entropy."""
    network = reader.read(content)
    subject = Subject(network=network)
    codes = [codes_of(subject, site) for site in sites_of(network)]
    flat = np.concatenate([array.reshape(-1) for array in codes])
    return {
        "zeros": round(float(np.mean(flat == 0)), 4),
        "values": max(len(np.unique(array)) for array in codes),
        "dense_bytes": int(flat.size),
        "stored_bytes": stored_bytes(codes, FORMS),
        "entropy_bytes": round(sum(_bits(array.reshape(-1)) for array in codes) / 8),
        "gzip_bytes": len(zlib.compress(flat.tobytes(), 9)),
        "file_bytes": len(content),
    }


def _bits(codes: Array) -> float:
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    return float(-(counts * np.log2(counts / counts.sum())).sum())
