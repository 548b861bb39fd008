"""A rota for tests: shifts told by hours from nine that Friday, and what they come to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from access.people import NewPerson
from access.tables import Role
from audit.events import Event
from audit.trail import read_leaves
from conversations import leave, rota_plan, rota_second
from conversations.planned import Asked, Duty, RotaFile
from conversations.rota_plan import Plan
from conversations.tables import Shift
from conversations.work import Work
from tests.house import NINE_PM, House
from tests.test_console import Pages

LEAD = NewPerson("L-500", "Lee Example", "Example Hospitals NHS Trust", frozenset({Role.IDVA_LEAD}))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROTA = "/rota/supervisor"
TODAY = NINE_PM.date()


def asked(staff_id: str, start: float, hours: float = 8, duty: Duty = Duty.IDVA) -> Asked:
    """A shift that begins so many hours from nine that Friday."""
    begins = NINE_PM + start * HOUR
    return Asked(staff_id, duty, begins, begins + hours * HOUR, f"Line {start:g}")


def plan_of(*shifts: Asked) -> Callable[[Work], Plan]:
    """What a file of these would change, for Sam."""
    return lambda work: rota_plan.from_file(work, sam(work), RotaFile(shifts))


def sam(_work: Work) -> str:
    return f"{'sam':_<32}"


def put(house: House, *shifts: Asked) -> Plan:
    """Make them the rota, two people agreeing if it has to be."""
    plan = house.do(plan_of(*shifts))
    with house.work() as work:
        if not rota_second.publish(work, house.id("sam"), lambda _: plan, plan.fingerprint):
            work.session.flush()
            (draft,) = rota_second.waiting(work, house.id("lee"))
            rota_second.decide(work, house.id("lee"), draft.id, published=True)
    return plan


def slots(house: House) -> list[tuple[str | None, str, float, float]]:
    """Everything on the rota: who, as what, from when for how long."""
    with house.line.database.reading() as session:
        found = session.scalars(select(Shift).order_by(Shift.starts_at, Shift.person_id)).all()
    return [key(rota_plan.slot_of(one)) for one in found]


def key(slot: rota_plan.Slot) -> tuple[str | None, str, float, float]:
    who = slot.person_id.rstrip("_")
    return (who, slot.duty, (slot.starts_at - NINE_PM) / HOUR, (slot.ends_at - slot.starts_at) / HOUR)


def shift_id(house: House, name: str, start: float) -> str:
    with house.line.database.reading() as session:
        where = Shift.person_id == house.id(name), Shift.starts_at == NINE_PM + start * HOUR
        return session.scalars(select(Shift.id).where(*where)).one()


def recorded(house: House, event: Event) -> list[dict[str, Any]]:
    with house.line.database.reading() as session:
        leaves = [json.loads(leaf) for leaf in read_leaves(session)]
    return [leaf["facts"] for leaf in leaves if leaf["event"] == event.label]


def count(house: House, table: type) -> int:
    with house.line.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def looked(pages: Pages, content: bytes, name: str = "rota.csv") -> dict[str, str]:
    """Look at a file; gives the fields that confirm it."""
    page = pages.client.post(f"{ROTA}/import/look", files={"file": (name, content)})
    assert page.status_code == 200, page.text
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {one: unescaped(value) for one, value in found.items()}


def unescaped(text: str) -> str:
    return text.replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def go_away(work: Work, staff_id: str, first: date, last: date) -> None:
    """Leave, as it was looked at."""
    seen = leave.look(work, sam(work), staff_id, first, last)
    leave.grant(work, sam(work), staff_id, first, last, seen.plan.fingerprint)
