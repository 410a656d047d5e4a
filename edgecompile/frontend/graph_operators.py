"""TensorFlow operators that reach beyond the model: files, Python, other machines."""

from __future__ import annotations

import re

# Source: the operator list of TensorFlow 2.20 (tf.raw_ops), read through for operators that take a file name, an
# address, a Python function or a library. RestoreV2 and SaveV2 are part of every SavedModel's own saver, which is
# never called here; they count when the model's functions call them.
_REACHES_OUT = re.compile(
    r"^(ReadFile|WriteFile|MatchingFiles|(Eager)?PyFunc(Stateless)?|Save(V2|Slices)?|Restore(V2|Slice)?|"
    r"MergeV2Checkpoints|LoadAndRemap\w*|\w*Reader(V2)?|(Text|TF|Fixed|CSV)\w*Dataset\w*|(Save|Load|Snapshot|Cache)\w*Dataset\w*|"
    r"InitializeTableFromTextFile\w*|\w*Summary\w*|Debug\w*|PrintV2|Print|\w*Rpc\w*|LookupTableExport\w*|"
    r"TFRecord\w*|Xla(Launch|Host)\w*|\w*Bigtable\w*|\w*Sql\w*|DecodeVideo|RegisterDataset\w*|DataService\w*|Assert(CardinalityDataset)?Fil\w*)$"
)


def touches_files(operator: str) -> bool:
    """The operator reads or writes files, calls Python, or reaches over the network."""
    return _REACHES_OUT.match(operator) is not None
