"""Each hostile request gets what its row says (facts/security.md section 6, rows 92 to 108), over real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile import rows_web_forms, rows_web_wire, rows_web_words
from tests.hostile.kit import heard_logs
from tests.hostile.web_kit import CANARY, Served, WebCase, served
from tests.place import Place, place_like

ROWS = range(92, 109)
CASES: list[WebCase] = [*rows_web_wire.CASES, *rows_web_forms.CASES, *rows_web_words.CASES]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, opened_once: Place) -> Iterator[Served]:
    place = place_like(opened_once, tmp_path_factory.mktemp("hostile") / "installation")
    place.env |= {
        "TELEGRAM": "doorbell",
        "TELEGRAM_TOKEN_FILE": place.secret("token", "123456789:AAwebCanaryTokenCanaryTokenCanaryTok"),
        "TELEGRAM_API": "http://127.0.0.1:9/bot",  # nobody is there
        "TELEGRAM_WEBHOOK_PATH": rows_web_wire.WEBHOOK,
        "TELEGRAM_WEBHOOK_SECRET_FILE": place.secret("secret", rows_web_wire.SECRET),
    }
    with served(place) as running:
        yield running


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_a_hostile_request_gets_what_its_row_says(line: Served, case: WebCase) -> None:
    logs = heard_logs()
    case.act(line)
    with line.client() as client:
        assert client.get("/healthz").status_code == 200
    assert CANARY not in logs.getvalue().lower()
    assert "Traceback" not in logs.getvalue()
    assert CANARY.encode() not in line.leaves().lower()


def test_no_row_about_requests_is_missing() -> None:
    assert sorted({case.row for case in CASES}) == list(ROWS)
    assert len({case.id for case in CASES}) == len(CASES)
