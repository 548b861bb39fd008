"""How the command that checks links reaches the network: names resolved once, pages asked for at that address only."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from knowledge.links import Answer, NoAnswer

PATIENCE = 10.0  # seconds
AGENT = "lanyard-link-check"


def resolve(host: str) -> list[str]:
    """The network addresses of a host. Raises `NoAnswer`."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoAnswer("its name is not known") from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class _Pinned(HTTPSConnection):
    """A connection to one network address, under the name of the host that was resolved to it."""

    def __init__(self, host: str, place: str) -> None:
        super().__init__(host, timeout=PATIENCE)
        self._place = place
        self._tls = ssl.create_default_context()

    def connect(self) -> None:
        """Connect to the address that was looked at, and to no other."""
        raw = socket.create_connection((self._place, 443), PATIENCE)
        self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)


def ask(address: str, place: str) -> Answer:
    """Ask for a page at exactly this network address; no word of it is read. Raises `NoAnswer`."""
    parts = urlsplit(address)
    connection = _Pinned(parts.hostname or "", place)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": AGENT})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("Location") or "")
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(type(error).__name__) from None
    finally:
        connection.close()
