"""A migrated, empty database for each hostile input: a copy of one that was migrated once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.place import copied


@pytest.fixture
def fresh_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes a migrated, empty database of a kind; gives its URL."""

    def make(kind: str) -> str:
        if kind == "postgresql":
            return str(request.getfixturevalue("postgres").new_database())
        return copied(request.getfixturevalue("migrated"), tmp_path / "data" / "lanyard.db")

    return make
