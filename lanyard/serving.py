"""Running the server until it is told to stop, or a part of it cannot go on."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import uvicorn
from starlette.applications import Starlette

from bot.telegram_polling import CannotListen
from lanyard.patience import Impatient
from lanyard.settings import BadSettings
from lanyard.wiring import House, Server, keep_alone

HEADER_LIMIT = 16 * 1024  # bytes of request line and headers


class _Uvicorn(uvicorn.Server):
    """uvicorn, saying when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._ready, flush=True)


def serve(house: House, ready: str = "Lanyard is ready on {url}") -> int:
    """Serve until stopped. Gives the exit status. Raises `AlreadyRunning`, `BadSettings` or `CannotListen`."""
    with ExitStack() as held:
        held.callback(house.line.database.close)
        alone = keep_alone(house.settings)
        if alone is not None:
            held.callback(alone.close)
        listening = held.enter_context(_listen(house.settings.host, house.settings.port))
        return _serve(house, listening, ready)


def _serve(house: House, listening: socket.socket, ready: str) -> int:
    port = listening.getsockname()[1]
    server = Server(house)
    running = _Uvicorn(serving(server.app), ready.format(url=f"http://{house.settings.host}:{port}"))

    def stop() -> None:
        running.should_exit = True

    server.stop = stop  # type: ignore[method-assign]
    running.run([listening])
    if isinstance(server.failed, CannotListen):
        raise server.failed
    return 1 if server.failed else 0


def serving(app: Starlette) -> uvicorn.Config:
    """How the line is served."""
    return uvicorn.Config(
        app,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=HEADER_LIMIT,
        http=Impatient,
        ws="none",
    )


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadSettings(
            f"Cannot listen on {host}:{port} ({error.strerror}). Stop what uses it, or set LANYARD_PORT."
        ) from None
    return listening
