"""Files that somebody else might send: a feed of made-up services, and what is wrong with the worst of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from datetime import date
from typing import Any

from knowledge.entry import Entry
from knowledge.referral.proposed import Given, Proposed
from knowledge.referral.taking import take
from tests.knowledge.shelf import TODAY

GIVEN = Given("catalogue lead", date(2027, 5, 1), ("blackpool",), ("pets",))
SILENT = Given()
UUID = "0b0f5e8a-9d1d-4f0c-8f53-3f2d6a0f9a01"


def foreign(**changes: Any) -> dict[str, Any]:
    """A made-up service of somebody else's directory, with much that we have no place for."""
    service = {
        "id": UUID,
        "name": "Example Pet Fostering",
        "status": "active",
        "description": "Looks after animals while their owner finds a safe place.",
        "url": "https://example.org/pets",
        "minimum_age": 16,
        "fees": "free",
        "assured_date": "2026-10-01",
        "x_theirs": {"deep": [1, True, "two"]},
        "organization_id": "c7b44d4a-4b3a-4d68-9b13-5a8ce2f0f3aa",
        "organization": {
            "id": "c7b44d4a-4b3a-4d68-9b13-5a8ce2f0f3aa",
            "name": "Example Charity",
            "description": "A charity.",
            "legal_status": "charity",
        },
        "phones": [{"id": "5a3c2b1f-1111-4a6b-8c9d-000000000001", "number": "01632 960555", "extension": 4}],
        "contacts": [
            {
                "id": "5a3c2b1f-1111-4a6b-8c9d-000000000002",
                "title": "Evenings",
                "phones": [{"id": "5a3c2b1f-1111-4a6b-8c9d-000000000003", "number": "01632 960556"}],
            }
        ],
        "schedules": [
            {
                "id": "5a3c2b1f-1111-4a6b-8c9d-000000000004",
                "freq": "WEEKLY",
                "byday": "MO,WE",
                "opens_at": "10:00",
                "closes_at": "16:00",
                "attending_type": "by phone",
            }
        ],
        "service_areas": [{"id": "5a3c2b1f-1111-4a6b-8c9d-000000000005", "name": "Blackpool", "extent": "x"}],
        "attributes": [{"id": "5a3c2b1f-1111-4a6b-8c9d-000000000006", "link_type": "animal", "value": "cats"}],
    }
    return {name: value for name, value in (service | changes).items() if value is not None}


def taken(
    value: object, given: Given = GIVEN, live: Iterable[Entry] = (), file: str = "feed.json", today: date = TODAY
) -> Proposed:
    """What a file proposes: bytes as they are, anything else as indented JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value, indent=1).encode()
    return take(data, file, given, {one.id: one for one in live}, today)


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()
