"""Tests of the search need Optuna, an extra that an environment for devices does not have: there they are left out."""

from __future__ import annotations

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("optuna") else ["test_search_*.py"]
