"""The HTTP face: a thread with its own loop, a port on loopback, and the reading of calls.

Rules kept here:
- Arguments come as PTB and the real API allow: in the query, as a form, as multipart, as JSON.
- A dropped answer is a cut TCP connection, without a byte of HTTP; an unanswered one stays open until the caller
  gives up. That is why uvicorn's protocol is used without its server: we hold every connection's transport.
- In a partition nobody listens on the port, so connecting is refused by the machine itself. A second socket, bound
  and never listening, keeps the port ours meanwhile.
- Closing cuts every connection and waits for the thread: no port, thread or task outlives a test.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from tests.botapi.calls import Arguments
from tests.botapi.desk import Desk, Lost

Address = tuple[str, int]


class _Connection(H11Protocol):
    """A connection that can be cut from outside."""

    def __init__(self, config: Config, state: ServerState, door: Door) -> None:
        super().__init__(config, state, {})
        self._door = door

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._door.entered(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._door.left(self.transport)


class Door:
    """The thread, its loop and its port."""

    def __init__(self, desk: Desk, background: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.port = 0
        self._desk = desk
        self._background = background
        self._transports: dict[Address, asyncio.Transport] = {}
        self._state = ServerState()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening: asyncio.Server | None = None
        self._anchor: socket.socket | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="Bot API stand-in", daemon=True)

    def open(self) -> None:
        """Start to listen; return when calls can come."""
        self._anchor = _bound(0)
        self.port = self._anchor.getsockname()[1]
        self._thread.start()
        if not self._ready.wait(20):
            raise RuntimeError("the Bot API stand-in did not start")

    def close(self) -> None:
        """Stop, cutting every connection."""
        self.call_soon(self._desk.closing.set)
        self._thread.join(20)
        if self._anchor is not None:
            self._anchor.close()
        if self._thread.is_alive():
            raise RuntimeError("the Bot API stand-in did not stop")

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run something on the server's thread; nothing when it does not run."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed between the two lines
                self._loop.call_soon_threadsafe(callback)

    def refuse(self) -> None:
        """Cut every connection and refuse new ones."""
        self._on_loop(self._refuse())

    def accept(self) -> None:
        """Listen again."""
        self._on_loop(self._listen())

    def _on_loop(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._listen()
        background = asyncio.create_task(self._background())
        self._ready.set()
        await self._desk.closing.wait()
        background.cancel()
        await self._refuse()
        for transport in list(self._transports.values()):
            transport.abort()
        open_calls = list(self._state.tasks)
        if open_calls:
            await asyncio.wait(open_calls, timeout=5)
        await asyncio.gather(background, return_exceptions=True)

    async def _listen(self) -> None:
        if self._listening is not None:
            return
        config = Config(
            self._app(), log_config=None, access_log=False, lifespan="off", ws="none",
            proxy_headers=False, timeout_keep_alive=120,
        )  # fmt: skip
        config.load()
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: _Connection(config, self._state, self), sock=_bound(self.port), backlog=512
        )

    async def _refuse(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        # Closed, not aborted: an answer already written still arrives, so nobody is left not knowing uncounted.
        for transport in list(self._transports.values()):
            transport.close()
        await asyncio.sleep(0)  # the loop now tells each connection that it is lost

    def entered(self, transport: asyncio.Transport) -> None:
        """A connection was made; too late, if it was on its way when we stopped listening."""
        self._transports[transport.get_extra_info("peername")] = transport
        if self._listening is None:
            transport.abort()

    def left(self, transport: asyncio.Transport) -> None:
        """A connection is no more."""
        self._transports.pop(transport.get_extra_info("peername"), None)

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self._file, methods=["GET"]),
            ],
            exception_handlers={404: _not_found, 405: _not_found},
        )

    async def _call(self, request: Request) -> Response:
        arguments = await _arguments(request)

        async def gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        method = request.path_params["method"]
        answer = await self._desk.take(request.path_params["token"], method, arguments, gone)
        if isinstance(answer, Lost):
            if answer is Lost.DROPPED:
                self._cut(request)
            await gone()
            return Response()
        headers = {"Retry-After": str(answer.retry_after)} if answer.retry_after else {}
        return Response(answer.body, answer.status, headers, media_type="application/json")

    async def _file(self, request: Request) -> Response:
        """Hand out a file's bytes; the log shows it as the method "download"."""
        arguments = Arguments({"path": request.path_params["path"]})
        self._desk.log_download(arguments)
        return Response(b"a file of the stand-in", media_type="application/octet-stream")

    def _cut(self, request: Request) -> None:
        if request.client is not None:
            transport = self._transports.get((request.client.host, request.client.port))
            if transport is not None:
                transport.abort()


def _bound(port: int) -> socket.socket:
    """Make a socket on loopback that shares its port with others of ours.

    asyncio sends without delay only on sockets that name TCP; otherwise every answer takes 40 ms.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


async def _arguments(request: Request) -> Arguments:
    """Read the arguments of a call, wherever they stand. The body wins over the query."""
    values = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form() as form:
            for name, value in form.multi_items():
                values[name] = value if isinstance(value, str) else f"<file {value.filename}, {value.size} bytes>"
    elif kind == "application/json":
        values |= _from_json(await request.body())
    else:
        text = (await request.body()).decode("utf-8", "replace")
        values |= dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    return Arguments(values)


def _from_json(body: bytes) -> dict[str, str]:
    try:
        given = json.loads(body)
    except ValueError:
        return {}
    values = given if isinstance(given, dict) else {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


async def _not_found(_request: Request, _why: Exception) -> Response:
    body = {"ok": False, "error_code": 404, "description": "Not Found"}
    return Response(json.dumps(body), 404, media_type="application/json")
