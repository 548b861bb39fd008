"""Who may do what: every route, for every role, as anything to a consultation, wherever that stands.

The cells come from the table itself: what `allow` says of a cell is what the route has to do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import TypeVar

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import delete, update

from access.enrolment import issue_code
from access.people import NewPerson
from access.permissions import GRANTS, Action, Relation, Stage, allow
from access.signin import begin_session
from access.tables import CodePurpose, Role
from console.directory import BASE as DIRECTORY
from console.fields import fields_of
from conversations import restrict, store
from conversations.case import Case
from conversations.errors import NotYours
from conversations.standing import relation_to, stage_of
from conversations.states import State
from conversations.tables import Message, Offer, OfferKind
from conversations.tables_access import BrokenGlass
from conversations.work import Work, scope_of, working
from tests.house import House, new_house
from tests.test_console import PUBLIC, Pages, routes_of

Result = TypeVar("Result")

RELATIONS = tuple(one for one in Relation if one is not Relation.NONE)
NARROWER = {(Action.CORRECT_ADVICE, Relation.STRANGER)}  # only once whoever advised has left, and here nobody has
NEVER = (Relation.SHUT_OUT, Stage.WAITING)  # nobody is shut out from where help is needed
STAGES = {Stage.WAITING: State.KEPT, Stage.HELD: State.TALKING, Stage.ENDED: State.ADVISED}
FORM = {"suspect": "nhs", "recipient": "Trust", "purpose": "Board", "form": "csv", "quarter": "2026-1"} | dict.fromkeys(
    ("staff_id", "text", "token", "ids", "do_now", "tell", "entry", "colleague", "hours"), "x"
)
TEAM = {
    "asks": NewPerson("PC 1", "PC 1 Example", "Example Constabulary", frozenset({Role.OFFICER})),
    "has": NewPerson("N-1", "Jane Example", "Example Hospitals NHS Trust", frozenset({Role.IDVA})),
    **{one.value: NewPerson(f"X-{one.value}", "Sam Example", "Example Trust", frozenset({one})) for one in Role},
}


class Undone(Exception):
    """Nothing of this is kept."""


class Matrix(Pages):
    """The pages before a house where nothing that is done stays done: each cell starts from the same rows."""

    async def _run(self, act: Callable[[Work], Result]) -> Result:
        given: list[Result] = []
        with suppress(Undone), working(self.house.line) as work:
            given.append(act(work))
            raise Undone
        return given[0]

    def enter(self, role: Role) -> None:
        """Somebody signed in, in this role alone."""
        code, token = self.house.line.token(), self.house.line.token()
        with self.house.work() as work:
            issue_code(work.session, code, CodePurpose.SIGN_IN, self.house.id(role.value), work.now, role=role)
            begin_session(work.session, code, token, work.line.policy.lease, work.now)
        self.client.cookies.set(f"lanyard-{role.value}", token)

    def admits(self, method: str, path: str, fields: set[str]) -> bool:
        """Whether the route let the request come to what it asks for, whatever came of that."""
        form = {name: value for name, value in FORM.items() if name in fields}
        answer = self.client.request(method, path, data=form if method == "POST" else None)
        assert answer.status_code < 500, (method, path, answer.status_code)
        sent_away = answer.status_code == 303 and answer.headers["location"] == "/"
        return not sent_away and not (answer.status_code == 404 and str(NotYours()) in answer.text)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    made = Matrix(new_house(team=TEAM), tmp_path_factory.mktemp("assets"))
    yield made
    made.client.close()


def action_of(route: APIRoute) -> Action | None:
    """What a route asks the table for."""
    for part in route.dependant.dependencies:
        found = inspect.getclosurevars(part.call).nonlocals.get("action") if part.call else None
        if isinstance(found, Action):
            return found
    return None


def put(house: House, subject: str, relation: Relation, stage: Stage) -> str:
    """A consultation to which this person is that, at that stage. Its first message is theirs."""
    ref = house.asks("asks", "Is this coercive control?")
    with house.work() as work:
        row, session = store.by_ref(work.session, ref), work.session
        row.state = STAGES[stage].value
        row.ended_at = work.now if stage is Stage.ENDED else None
        row.idva_id = house.id("has") if stage is not Stage.WAITING else None
        row.last_idva_id = house.id("has")
        session.execute(delete(Offer).where(Offer.consultation_id == row.id))
        session.execute(update(Message).where(Message.consultation_id == row.id).values(author_id=subject))
        if relation is Relation.ASKER:
            row.officer_id = subject
        elif relation is Relation.OWNER:
            row.idva_id = subject
        elif relation is Relation.FORMER:
            row.last_idva_id = subject
        elif relation is Relation.SHUT_OUT:
            restrict.restrict(Case.load(work, row.id), row.officer_id, restrict.Suspect.POLICE)
        elif relation is Relation.GLASS:
            session.add(_glass(work, row.id, subject))
        elif relation is Relation.OFFERED:
            session.add(_offer(work, row.id, subject))
        session.flush()
        assert (relation_to(work, row, subject), stage_of(row)) == (relation, stage)
    return ref


def _glass(work: Work, consultation_id: str, by: str) -> BrokenGlass:
    made, until = work.new_id(), work.now + timedelta(minutes=30)
    return BrokenGlass(
        id=made,
        consultation_id=consultation_id,
        person_id=by,
        role=Role.SUPERVISOR.value,
        reason=work.seal("broken_glass", "reason", made, scope_of(consultation_id), "x"),
        began_at=work.now,
        ends_at=until,
    )


def _offer(work: Work, consultation_id: str, to: str) -> Offer:
    kind, due = OfferKind.QUESTION.value, work.now + timedelta(minutes=1)
    return Offer(
        id=work.new_id(),
        consultation_id=consultation_id,
        idva_id=to,
        kind=kind,
        search=1,
        offered_at=work.now,
        due_at=due,
    )


@pytest.mark.parametrize("role", list(Role))
def test_each_route_does_what_the_table_says(matrix: Matrix, role: Role) -> None:
    matrix.client.cookies.clear()
    matrix.enter(role)
    subject = matrix.house.id(role.value)
    there = {pair: put(matrix.house, subject, *pair) for pair in product(RELATIONS, STAGES) if pair != NEVER}
    wrong, cells = [], 0
    for route in routes_of(matrix.client.app):
        action = action_of(route)
        if action is None:
            continue
        path = re.sub(r"\{number\}", "1", route.path.replace("{role}", role.value))
        places = there.items() if "{ref}" in path else [((Relation.NONE, Stage.NONE), "")]
        for (relation, stage), ref in places:
            filled = re.sub(r"\{\w+\}", "AAAAAA", path.replace("{ref}", ref))
            for method in (route.methods or set()) - {"HEAD"}:
                cells += 1
                expected = allow(role, action, relation, stage) and (action, relation) not in NARROWER
                if matrix.admits(method, filled, fields_of(route)) != expected:
                    wrong.append((method, route.path, relation.value, stage.value))
    assert not wrong
    assert cells * len(Role) >= 2_500


def test_every_route_asks_the_table_or_is_listed_as_public(matrix: Matrix) -> None:
    silent = {route.path for route in routes_of(matrix.client.app) if action_of(route) is None}
    signing_out = {"/sign-out/{role}"}  # whoever is signed in may leave
    assert {path for path in silent if not path.startswith(f"{DIRECTORY}/")} == PUBLIC | signing_out


def test_every_action_of_the_table_is_asked_for_by_some_route(matrix: Matrix) -> None:
    asked = {action_of(route) for route in routes_of(matrix.client.app)} - {None}
    assert asked == {one.action for one in GRANTS} == set(Action)


def test_what_no_row_allows_nobody_may() -> None:
    for role, action, relation, stage in product(Role, Action, Relation, Stage):
        rows = [one for one in GRANTS if one.action is action and role in one.roles]
        expected = any(relation in one.relations and stage in one.stages for one in rows)
        assert allow(role, action, relation, stage) is expected


def test_administrator_and_auditor_come_to_no_consultation() -> None:
    for role, action, relation, stage in product((Role.ADMIN, Role.AUDITOR), Action, RELATIONS, STAGES):
        assert not allow(role, action, relation, stage)
