"""What the fault campaigns share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from random import SystemRandom

import pytest

from tests.faults.power_loss import Disk, compile_shim
from tests.place import copied

NO_COMPILER = "no C compiler (cc) here, so a loss of power cannot be simulated"


Tell = Callable[[str], None]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Print a campaign's figures: kept with the test's output, and in full campaigns shown at once as well."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        print(line)
        if os.environ.get("LANYARD_PROVE") == "full":
            with capture.global_and_fixture_disabled() if capture else nullcontext():
                print(f"\n{request.node.name}: {line}", file=sys.stderr, flush=True)

    return say


@pytest.fixture
def seed() -> int:
    """The seed of a campaign's plan: LANYARD_FAULTS_SEED, or a fresh one. Campaigns print it."""
    return int(os.environ.get("LANYARD_FAULTS_SEED") or SystemRandom().randrange(1_000_000))


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated: Path) -> str:
    """A migrated SQLite database in a folder of its own."""
    return copied(migrated, tmp_path / "data" / "lanyard.db")


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled power-loss shim."""
    library = compile_shim(tmp_path_factory.mktemp("shim"))
    if library is None:
        pytest.skip(NO_COMPILER)
    return library


@pytest.fixture
def disk(shim: Path, tmp_path: Path) -> Disk:
    """The disk under `sqlite_url`. Prepare it once everything is in the database, before the first start."""
    return Disk(shim, tmp_path / "data", tmp_path / "shadow")
