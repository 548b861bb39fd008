"""Keys in the Transit engine of Vault or OpenBao: they never leave it; it wraps and unwraps for us. The only file
that imports `hvac`, which is the optional extra `transit`.

Rules kept here:
- Each kid is a Transit key of its own, `<prefix><kid>`, of a kind with authenticated encryption (aes256-gcm96). What
  is wrapped is bound to its context as associated data.
- A refused or expired token, a time-out, 429 and 5xx are an outage (`KeysUnavailable`), not the wrong key.
- Unwrapped keys are kept in memory for at most five minutes and 256 keys, by what is stored: a consultation goes on
  through a short outage, and a key that was rolled back is never found by it.
- Transit forgets what it deletes, so `destroyed` is empty here. A name used again gets a different key.
- Grant the line `update`, and not `create`, on encrypt/…: Transit otherwise makes a key whenever one is missing.
"""

from __future__ import annotations

import base64
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import hvac
from hvac import exceptions

from storage.providers import OPEN, KeyProblem, KeysUnavailable, UnknownKey, newest, purpose_of, refuse_in_use
from storage.sealing import CannotOpen, new_key

KIND = "aes256-gcm96"
TIMEOUT = 3.0  # seconds; a page that waits for a key still answers within ten
KEPT_SECONDS = 300.0
KEPT_KEYS = 256
FORMAT = b"\x02"  # `2 | version of the Transit key (4) | what it gave`: one way to write each value, unlike base64

_GIVEN = re.compile(r"vault:v(\d+):([A-Za-z0-9+/]+=*)")


@dataclass(frozen=True)
class Transit:
    """Where Transit is, and who we are there."""

    url: str
    token: Callable[[], str]  # asked every time: an agent may renew the token's file
    ticks: Callable[[], float]  # a clock that only goes forward
    mount: str = "transit"
    prefix: str = "lanyard-"


class TransitProvider:
    """Keys that Transit holds."""

    def __init__(self, transit: Transit) -> None:
        self._transit = transit
        self._client = hvac.Client(url=transit.url, token="", timeout=TIMEOUT)
        self._kept = _Kept(transit.ticks)

    def current(self, purpose: str) -> str:
        """The kid that wraps for this purpose."""
        return newest(purpose, self.kids())

    def wrap(self, kid: str, key: bytes, context: bytes) -> bytes:
        """Wrap a key, bound to a context."""
        self._require(kid)
        with self._asking() as engine:
            answer = engine.encrypt_data(**self._key(kid), plaintext=_text(key), associated_data=_text(context))
        return _packed(str(answer["data"]["ciphertext"]))

    def unwrap(self, kid: str, blob: bytes, context: bytes) -> bytes:
        """The key that was wrapped."""
        asked = (kid, blob, context)
        kept = self._kept.get(asked)
        if kept is not None:
            return kept
        given = _unpacked(blob)
        try:
            with self._asking() as engine:
                answer = engine.decrypt_data(**self._key(kid), ciphertext=given, associated_data=_text(context))
        except (exceptions.InvalidRequest, exceptions.InvalidPath):
            self._require(kid)  # Transit answers 400 to both: no such key, and it does not open
            raise CannotOpen("wrong key, wrong place, or changed") from None
        key = base64.b64decode(answer["data"]["plaintext"])
        self._kept.put(asked, key)
        return key

    def make(self, kid: str) -> None:
        """Make a key-encryption key."""
        if kid in self.kids():
            raise KeyProblem(f"The key {kid} is there already.")
        with self._asking() as engine:
            engine.create_key(**self._key(kid), key_type=KIND)

    def destroy(self, kid: str) -> None:
        """Destroy a key-encryption key for ever, and with it all that it wrapped."""
        self._kept.clear()
        kids = self.kids()
        if kid not in kids:
            return
        refuse_in_use(kid, kids)
        with self._asking() as engine:
            engine.update_key_configuration(**self._key(kid), deletion_allowed=True)
            engine.delete_key(**self._key(kid))
        self._kept.clear()  # what another thread unwrapped meanwhile

    def kids(self) -> tuple[str, ...]:
        """The kids of every key there is."""
        try:
            with self._asking() as engine:
                names = engine.list_keys(mount_point=self._transit.mount)["data"]["keys"]
        except exceptions.InvalidPath:  # Transit's way to say: none
            return ()
        prefix = self._transit.prefix
        return tuple(sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix)))

    def destroyed(self) -> tuple[str, ...]:
        """Unknown here."""
        return ()

    def health(self) -> str:
        """One line on where the keys are, after wrapping and unwrapping something. Raises `KeyProblem`."""
        kids = self.kids()
        if any(purpose_of(kid) == OPEN for kid in kids):
            kid, key = newest(OPEN, kids), new_key()
            if self.unwrap(kid, self.wrap(kid, key, b"health"), b"health") != key:
                raise KeyProblem("Transit does not give back what it wrapped.")
        return f"{len(kids)} in Transit at {self._transit.url}"

    def _require(self, kid: str) -> None:
        if kid not in self.kids():
            raise UnknownKey(f"no key {kid}")

    def _key(self, kid: str) -> dict[str, str]:
        return {"name": self._transit.prefix + kid, "mount_point": self._transit.mount}

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        url = self._transit.url
        try:
            self._client.token = self._transit.token()
            yield self._client.secrets.transit
        except (exceptions.InvalidRequest, exceptions.InvalidPath):
            raise
        except (exceptions.Forbidden, exceptions.Unauthorized):
            raise KeysUnavailable(f"Transit at {url} refuses the token. Renew it, or correct its policy.") from None
        except (exceptions.VaultError, OSError) as error:  # time-outs and broken connections are OSErrors in requests
            raise KeysUnavailable(f"Transit at {url} does not answer ({type(error).__name__}).") from None


class _Kept:
    """Keys kept for a short while, by what they were unwrapped from."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._keys: OrderedDict[tuple[str, bytes, bytes], tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, asked: tuple[str, bytes, bytes]) -> bytes | None:
        with self._lock:
            until, key = self._keys.get(asked, (0.0, b""))
            if key and self._ticks() < until:
                return key
            self._keys.pop(asked, None)
            return None

    def put(self, asked: tuple[str, bytes, bytes], key: bytes) -> None:
        with self._lock:
            self._keys[asked] = self._ticks() + KEPT_SECONDS, key
            while len(self._keys) > KEPT_KEYS:
                self._keys.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _packed(given: str) -> bytes:
    parts = _GIVEN.fullmatch(given)
    if parts is None:
        raise KeyProblem("Transit answered in a form this program does not know.")
    return FORMAT + int(parts[1]).to_bytes(4, "big") + base64.b64decode(parts[2])


def _unpacked(blob: bytes) -> str:
    if blob[:1] != FORMAT or len(blob) < 6:
        raise CannotOpen("unknown format")
    return f"vault:v{int.from_bytes(blob[1:5], 'big')}:{_text(blob[5:])}"
