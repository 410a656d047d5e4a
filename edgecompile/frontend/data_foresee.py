"""Tell of data that will not do before the model is loaded: by themselves, and by what its file says of its outputs."""

from __future__ import annotations

from edgecompile.core.errors import BadInputError
from edgecompile.frontend import data_check, data_check_labels
from edgecompile.frontend.data_set import DataSet
from edgecompile.frontend.network_ports import ports_of
from edgecompile.frontend.output_foresee import Output, output_of
from edgecompile.frontend.source import ModelSource
from edgecompile.ir import reader


def foresee(data: DataSet, source: ModelSource) -> None:
    """Nothing where no fault shows yet; loading the model may show more.

    Raises BadInputError EC268 for NaN and infinity, EC269 for class indices that a .keras or .tflite file has no
    output for; of a .tflite, all that ``check_against`` raises.
    """
    if source.kind == "tflite":
        assert source.path is not None
        data_check.check_against(data, *ports_of(reader.read(source.path.read_bytes(), source.name)))
        return
    found = [*data_check.not_finite(data), *data_check_labels.out_of_range(data, _classes(output_of(source)))]
    if found:
        raise BadInputError(*found)


def _classes(output: Output | None) -> int | None:
    return output.classes if output is not None and output.classes > 1 else None
