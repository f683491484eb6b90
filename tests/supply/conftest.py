"""The tools of tools/supply, which find each other as scripts of one folder do."""

import importlib
from pathlib import Path

import pytest

SUPPLY = Path(__file__).resolve().parents[2] / "tools" / "supply"


@pytest.fixture
def tool(monkeypatch):
    """Imports a tool by name."""
    monkeypatch.syspath_prepend(SUPPLY)
    return importlib.import_module
