"""Whatever fits the OpenAPI document is answered without a fault of ours, and nothing of it without being signed in.

The document is served to nobody; it is made here, and Schemathesis makes the requests from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Err, Ok
from schemathesis.schemas import APIOperation

from access.permissions import Relation, Stage
from access.tables import Role
from console.directory import BASE as DIRECTORY
from tests.house import new_house
from tests.test_console import PUBLIC
from tests.test_permissions import TEAM, Matrix, put

EXAMPLES = 30 if os.environ.get("LANYARD_PROVE") == "full" else 1
SENT_AWAY = {303, 401, 403, 404, 405}
ALL = list(HealthCheck)
BUILT = Path(__file__).parents[1] / "console" / "assets" / "built"
Operation = APIOperation[Any, Any, Any, Any]


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    made = Matrix(new_house(team=TEAM), BUILT)
    yield made
    made.client.close()


def operations(matrix: Matrix) -> list[Operation]:
    schema = schemathesis.openapi.from_dict(matrix.client.app.openapi())
    found = list(schema.get_all_operations())
    assert not [one for one in found if isinstance(one, Err)]
    return [one.ok() for one in found if isinstance(one, Ok)]


def cases(operation: Operation) -> list[schemathesis.Case[Any]]:
    """Requests that fit the document, drawn at random."""
    found: list[schemathesis.Case[Any]] = []

    @settings(max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=ALL)
    @given(operation.as_strategy())
    def draw(case: schemathesis.Case[Any]) -> None:
        found.append(case)

    draw()
    return found


def asked(matrix: Matrix, case: schemathesis.Case[Any], **known: str) -> int:
    """Send one request; its path may name what there really is. Gives the status."""
    case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
    body = case.body if isinstance(case.body, dict) else {}
    form = {"data": _texts(body)} if case.method.upper() == "POST" else {}
    path, query = case.formatted_path, _texts(case.query or {})
    return matrix.client.request(case.method.upper(), path, params=query, **form).status_code


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


@pytest.mark.prove
@pytest.mark.timeout(7200 if EXAMPLES > 1 else 120)
def test_nobody_gets_anything_that_is_not_public(matrix: Matrix) -> None:
    matrix.client.cookies.clear()
    ref = put(matrix.house, matrix.house.id(Role.IDVA.value), Relation.OWNER, Stage.HELD)
    wrong = []
    for operation in operations(matrix):
        public = operation.path in PUBLIC or operation.path.startswith(f"{DIRECTORY}/")
        for case in cases(operation):
            status = asked(matrix, case, ref=ref, role=Role.IDVA.value)
            if status >= 500 or (not public and status not in SENT_AWAY):
                wrong.append((operation.method, operation.path, status))
    assert not wrong


@pytest.mark.prove
@pytest.mark.timeout(7200 if EXAMPLES > 1 else 120)
@pytest.mark.parametrize("role", list(Role))
def test_whoever_is_signed_in_meets_no_fault_of_ours(matrix: Matrix, role: Role) -> None:
    matrix.client.cookies.clear()
    matrix.enter(role)
    relation = {Role.OFFICER: Relation.ASKER, Role.IDVA: Relation.OWNER}.get(role, Relation.STRANGER)
    ref = put(matrix.house, matrix.house.id(role.value), relation, Stage.HELD)
    wrong = []
    for operation in operations(matrix):
        for turn, case in enumerate(cases(operation)):
            known = {} if turn % 3 == 2 else {"ref": ref, "number": "1"}
            status = asked(matrix, case, role=role.value, **known)
            if status >= 500:
                wrong.append((operation.method, operation.path, status))
    assert not wrong
