"""Schemathesis over the pages' OpenAPI document: nothing breaks, and nobody comes to words without a session.

The document is not served; it is read off the application. Each answer is one of the kinds that the pages have.
"""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from access.tables import Role
from console.directory import BASE as DIRECTORY
from tests.house import new_house
from tests.test_console import PUBLIC
from tests.test_permissions import TEAM, Matrix

FULL = os.environ.get("LANYARD_PROVE") == "full"
EXAMPLES = 50 if FULL else 2  # for each operation and each role
WORDS = "THE WORDS OF SOMEBODY ELSE"
KINDS = {200, 204, 303, 400, 401, 403, 404, 405, 409, 413, 422, 431}
SHUT = {303, 401, 403, 404}
LISTENING = "/live/{role}"  # has no end; tests/hostile shows it
BY_NOBODY = {"origin": "http://testserver"}
BOUNDS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Api:
    """The pages, and the operations of their document."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.role: Role | None = None  # whoever is signed in stays in their own rooms
        self.ref = matrix.house.asks("asks", WORDS)
        schema = schemathesis.openapi.from_dict(matrix.client.app.openapi())
        found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
        self.operations = [one for one in found if one.path != LISTENING]

    def send(self, case: Any) -> httpx.Response | None:
        """What a case asks, with an address that can be written; None where it cannot."""
        path = case.operation.path.replace("{ref}", self.ref)
        if self.role is not None:
            path = path.replace("{role}", self.role.value)
        for name, value in (case.path_parameters or {}).items():
            path = path.replace(f"{{{name}}}", _written(value))
        body = case.body if isinstance(case.body, dict) else None
        try:
            return self.matrix.client.request(
                case.method, path, params=case.query or None, data=_form(body), headers=BY_NOBODY
            )
        except (httpx.InvalidURL, UnicodeEncodeError):
            return None


def _written(value: Any) -> str:
    kept = string.ascii_letters + string.digits + "-_.~%"
    return "".join(sign for sign in str(value) if sign in kept) or "x"


def _form(body: dict[str, Any] | None) -> dict[str, str] | None:
    return {name: str(value).encode("utf-8", "replace").decode() for name, value in body.items()} if body else None


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    assets = tmp_path_factory.mktemp("assets")
    (assets / "service-worker.js").write_text("")
    made = Matrix(new_house(team=TEAM), assets)
    yield Api(made)
    made.client.close()


def each_case(api: Api, check: Callable[[str, httpx.Response], None]) -> int:
    """Let Schemathesis make requests of each operation; gives how many were sent."""
    return sum(_cases(api, operation, check) for operation in api.operations)


def _cases(api: Api, operation: Any, check: Callable[[str, httpx.Response], None]) -> int:
    sent = 0

    @BOUNDS
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        nonlocal sent
        answer = api.send(case)
        if answer is not None:
            sent += 1
            check(operation.path, answer)

    one()
    return sent


@pytest.mark.prove
@pytest.mark.timeout(1200 if FULL else 120)
def test_whoever_is_not_signed_in_comes_to_nothing(api: Api) -> None:
    api.matrix.client.cookies.clear()
    api.role = None

    def check(path: str, answer: httpx.Response) -> None:
        assert answer.status_code < 500
        assert WORDS not in answer.text
        if path not in PUBLIC and not path.startswith(f"{DIRECTORY}/"):
            assert answer.status_code in SHUT, (path, answer.status_code)

    assert each_case(api, check) >= len(api.operations)


@pytest.mark.prove
@pytest.mark.timeout(1200 if FULL else 120)
@pytest.mark.parametrize("role", list(Role))
def test_whoever_is_signed_in_breaks_nothing(api: Api, role: Role) -> None:
    api.matrix.client.cookies.clear()
    api.matrix.enter(role)
    api.role = role

    def check(path: str, answer: httpx.Response) -> None:
        allowed = KINDS | {503} if path == "/readyz" or path.startswith(f"{DIRECTORY}/") else KINDS
        assert answer.status_code in allowed, (path, answer.status_code)
        if role in (Role.ADMIN, Role.AUDITOR, Role.CURATOR):
            assert WORDS not in answer.text

    assert each_case(api, check) >= len(api.operations)
