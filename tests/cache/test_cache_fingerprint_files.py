"""What a hash is made of: files alone."""

from __future__ import annotations

import os
from pathlib import Path

from edgecompile.cache.fingerprint import of_file


def test_a_pipe_has_no_hash_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")

    assert of_file(tmp_path / "pipe") is None
    assert of_file(tmp_path) is None
    assert of_file(tmp_path / "file") is not None
