"""`lanyard knowledge …`: for scripts and for people, without settings or database."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from lanyard.__main__ import main

LABELS = Path(__file__).parent / "knowledge" / "topics-dev.tsv"


def test_suggest_prints_entries_and_flags_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "suggest", "hands round her throat, what now", "--area", "blackpool", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    first = found["entries"][0]
    assert first.keys() == {"id", "version", "topics", "score", "why"}
    assert (first["id"], first["version"], first["topics"]) == ("guidance-strangulation", 1, ["strangulation"])
    assert (found["flags"][0]["name"], found["flags"][0]["tier"]) == ("strangulation", "raised")


def test_suggest_takes_a_message_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("wont leave the dog\n\nhe has a knife\n"))
    assert main(["knowledge", "suggest", "--lines"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 3
    assert lines[0]["entries"][0]["topics"] == ["pets"]
    assert [one["name"] for one in lines[2]["flags"]] == ["weapon"]


def test_suggest_refuses_an_unknown_area_and_nothing_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "suggest", "x", "--area", "atlantis"]) == 2
    assert "no area is called 'atlantis'" in capsys.readouterr().err
    assert main(["knowledge", "suggest"]) == 2


def test_evaluate_prints_the_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "evaluate", str(LABELS), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["health"] == "whole"
    assert found["topics"]["messages"] == 30
    assert found["flags"]["by_flag"]["strangulation"]["raised"] == 1.0
