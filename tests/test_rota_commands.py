"""`lanyard rota`: a file is shown first, and done only as it was shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from conversations.rota_csv import write_csv
from lanyard.__main__ import main
from tests.place import Place, only_settings

TEAM = [
    ("N-100", "Jane Example", "Example Trust", "idva"),
    ("L-500", "Lee Example", "Example Trust", "idva_lead"),
]


@pytest.fixture(autouse=True)
def settings(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    only_settings(monkeypatch, place.env)
    for one in TEAM:
        assert main(["people", "add", *one]) == 0


def test_a_file_is_shown_then_done_then_changes_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    file = place.folder / "rota.csv"
    file.write_text(write_csv([("N-100", "idva", begins, begins + timedelta(hours=8))]))
    ordered = ["rota", "import", str(file), "--by", "L-500"]
    capsys.readouterr()
    assert main(ordered) == 0
    shown = capsys.readouterr().out
    assert "added\tN-100\tidva\tnot on duty" in shown
    fingerprint = re.findall(r"--shown (\w+)", shown)[0]
    assert main([*ordered, "--shown", "0" * 64]) == 2
    assert main([*ordered, "--shown", fingerprint]) == 0
    assert "Done." in capsys.readouterr().out
    assert main(ordered) == 0
    assert "0 added, 0 moved, 0 taken off; 1 as they are" in capsys.readouterr().out


def test_what_is_wrong_with_a_file_and_whose_it_is_not_is_said(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place.folder / "rota.csv"
    file.write_text("staff_id,duty,starts,ends\nN-999,idva,2026-12-01T07:00,2126-12-01T07:00\n")
    assert main(["rota", "import", str(file), "--by", "L-500"]) == 2
    assert "Line 2: lasts" in capsys.readouterr().err
    assert main(["rota", "import", str(file), "--by", "N-100"]) == 2
    assert main(["rota", "add", "N-100", "2026-10-25T01:30", "2026-10-25T07:00"]) == 2
    assert "happens twice" in capsys.readouterr().err
