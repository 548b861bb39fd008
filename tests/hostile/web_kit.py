"""A whole line served as the product serves it, for hostile requests: its own uvicorn settings, real sockets.

Rule kept here: what is sent goes over the wire byte by byte where no client of ours would send it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount

from access.enrolment import issue_code
from access.people import NewPerson, add_person
from access.tables import CodePurpose, Role
from audit.trail import read_leaves
from conversations import store
from conversations.rota import add_shift
from conversations.work import working
from lanyard.commands import house_of
from lanyard.serving import serving
from lanyard.settings import read_settings
from lanyard.wiring import House, Server
from tests.place import Place
from tests.test_console import routes_of

CANARY = "canary"
TRUST = "Example Hospitals NHS Trust"
TEAM = {
    "officer1": (Role.OFFICER, "PC 1234 Example"),
    "officer2": (Role.OFFICER, "PC 5678 Sample"),
    "jane": (Role.IDVA, "Jane Example"),
    **{role.value: (role, f"{role.value} Example") for role in Role if role not in (Role.OFFICER, Role.IDVA)},
}


@dataclass
class Served:
    """The line, where it listens, and its people."""

    house: House
    server: uvicorn.Server
    port: int

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def id(self, name: str) -> str:
        """The person id of a member of the team."""
        return f"{name:_<32}"[:32]

    def client(self, **more: Any) -> httpx.Client:
        """A browser without a window, signed in as nobody."""
        return httpx.Client(base_url=self.url, headers={"origin": self.url}, trust_env=False, **more)

    @property
    def routes(self) -> list[APIRoute]:
        """Every route of every room."""
        mounts = [one.app for one in self.server.config.app.routes if isinstance(one, Mount)]  # type: ignore[union-attr]
        return routes_of(next(one for one in mounts if isinstance(one, FastAPI)))

    @contextmanager
    def everybody(self, *names: str) -> Iterator[httpx.Client]:
        """One browser in which each of these is signed in, in their role."""
        with self.client() as client:
            for name in names:
                assert client.post("/sign-in", data={"code": self.code(name)}).status_code == 303
            yield client

    def code(self, name: str) -> str:
        """A fresh sign-in code."""
        code = self.house.line.token()
        with working(self.house.line) as work:
            issue_code(work.session, code, CodePurpose.SIGN_IN, self.id(name), work.now, role=TEAM[name][0])
        return code

    @contextmanager
    def signed_in(self, name: str) -> Iterator[httpx.Client]:
        """Somebody signed in."""
        with self.client() as client:
            answer = client.post("/sign-in", data={"code": self.code(name)})
            assert answer.status_code == 303, answer.text
            yield client

    def ask(self, client: httpx.Client, text: str = "Is this coercive control?") -> str:
        """A new question, typed by an officer; gives its reference."""
        went = client.post("/chat/say", data={"text": text})
        assert went.status_code == 303, went.text
        return went.headers["location"].rpartition("/")[2]

    def raw(self, sent: bytes, patience: float = 5.0) -> bytes:
        """Bytes over a socket of their own; gives all that came back until it was closed or fell silent."""
        got = b""
        with closing(socket.create_connection(("127.0.0.1", self.port), patience)) as wire:
            wire.sendall(sent)
            try:
                while part := wire.recv(65_536):
                    got += part
            except (TimeoutError, ConnectionResetError):
                pass
        return got

    def leaves(self) -> bytes:
        """The whole trail."""
        with self.house.line.database.reading() as session:
            return b"\n".join(read_leaves(session))

    def rows(self) -> int:
        """How many leaves there are: what changes anything is in the trail."""
        return self.leaves().count(b"\n")


@dataclass(frozen=True)
class WebCase:
    """One hostile request, or several of a kind, and what each must get."""

    row: int
    name: str
    act: Callable[[Served], None]

    @property
    def id(self) -> str:
        return f"row-{self.row}-{self.name.replace(' ', '-')}"


@contextmanager
def served(place: Place) -> Iterator[Served]:
    """The line of this installation, running in a thread of this process."""
    house = house_of(read_settings(**{name.lower(): value for name, value in place.env.items()}))
    _staff(house)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        server = uvicorn.Server(serving(Server(house).app))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield Served(house, server, listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(15)
            house.line.database.close()


def _staff(house: House) -> None:
    with working(house.line) as work:
        for name, (role, called) in TEAM.items():
            new = NewPerson(f"X-{name}", called, TRUST, frozenset({role}))
            add_person(work.session, work.line.keyring, f"{name:_<32}"[:32], new, work.now)
        add_shift(work, f"{'jane':_<32}", store.IDVA_DUTY, work.now, work.now + timedelta(hours=14))
