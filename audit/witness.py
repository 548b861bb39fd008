"""A witness (C2SP tlog-witness): cosigns a log's growth and nothing else. Run by the partner organisation.

Rules kept here:
- For each log it knows, the witness remembers the newest checkpoint it cosigned, and cosigns only what grew from it.
- It writes down before it answers, and only if its record is still the one it judged by: of two requests at once
  one is refused (tlog-witness: "must be performed atomically").
- What it answers is one of the specification's statuses; when its record cannot be written or read, that is an
  exception (500 over HTTP): then nothing was cosigned.
- Whoever asks believes no answer: a cosignature is verified before it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import httpx

from audit.checkpoint import RecordDamaged, RecordMoved, Store
from audit.notes import (
    BadSignature,
    Checkpoint,
    Malformed,
    NoteRefused,
    NotSigned,
    PrivateKey,
    VerifierKey,
    base64_text,
    cosign,
    cosigner_key,
    decimal,
    from_base64,
    only_known,
    unverified_text,
    verify_note,
)
from audit.tree import EMPTY_ROOT, HASH_SIZE, verify_consistency

LARGEST_BODY = 65_536  # bytes: 63 hashes and a checkpoint with some forty cosignatures
MOST_HASHES = 63
PATIENCE = 10  # seconds for a request to arrive
TRIES = 3
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


class WitnessRefused(Exception):
    """The witness did not cosign."""


class WitnessIsAhead(WitnessRefused):
    """The witness has cosigned a larger tree than ours: our log was rolled back."""


class WitnessSilent(Exception):
    """The witness could not be reached, or did not answer as one."""


class Answer(NamedTuple):
    """What goes back over HTTP."""

    status: int
    content_type: str
    body: bytes


class Growth(NamedTuple):
    """A request: from this size, by this proof, to this note."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes


@dataclass(frozen=True)
class WitnessKey:
    """Under which name a witness signs, and with what."""

    name: str
    private: PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        """What its cosignatures are verified with."""
        return cosigner_key(self.name, self.private)


Logs = Mapping[str, Sequence[VerifierKey]]  # the keys of each known origin


# --- the witness -----------------------------------------------------------------------------------


def write_growth(growth: Growth) -> bytes:
    """The body of `add-checkpoint`."""
    hashes = "".join(f"{base64_text(part)}\n" for part in growth.proof)
    return f"old {growth.old}\n{hashes}\n".encode() + growth.note


def read_growth(body: bytes) -> Growth:
    """What `write_growth` wrote; `Malformed` for anything else."""
    head, blank, note = body.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Malformed("the proof is not ASCII") from None
    if not blank or not first.startswith("old ") or len(lines) > MOST_HASHES:
        raise Malformed("a request is an old size, at most 63 hashes, an empty line and a note")
    proof = tuple(from_base64(line) for line in lines)
    if any(len(part) != HASH_SIZE for part in proof):
        raise Malformed("a hash has 32 bytes")
    return Growth(decimal(first.removeprefix("old ")), proof, note)


def answer(body: bytes, store: Store, logs: Logs, key: WitnessKey, now: datetime) -> Answer:
    """Judge one `add-checkpoint`, and cosign it if it is growth."""
    # 1. is it written as it should be, by a log we know, and signed by it
    try:
        growth = read_growth(body)
        origin = unverified_text(growth.note).partition("\n")[0]
        if origin not in logs:
            return _refusal(404, "unknown log")
        verified = verify_note(growth.note, logs[origin])
        asked = Checkpoint.parse(verified.text)
    except (BadSignature, NotSigned):
        return _refusal(403, "not signed by a key of this log")
    except Malformed as problem:
        return _refusal(400, str(problem))
    if growth.old > asked.size:
        return _refusal(400, "a tree only grows")
    # 2. does it start from what we cosigned last
    before = store.load(origin)
    last = _read(before, origin)
    if growth.old != last.size:
        return _conflict(last.size)
    # 3. is it growth
    if not _is_growth(last, asked, growth):
        return _refusal(422, "the proof does not show growth")
    # 4. written down, unless somebody was faster
    line = cosign(verified.text, key.name, key.private, int(now.timestamp()))
    try:
        store.swap(origin, before, only_known(growth.note, logs[origin]) + line.encode())  # other lines are not kept
    except RecordMoved:
        return _conflict(_read(store.load(origin), origin).size)
    # Dying here: recorded, not answered. Asked again, a 409 tells our size, and from that size it is cosigned.
    # 5. and only then answered
    return Answer(200, TEXT, line.encode())


def latest(path: str, store: Store, logs: Logs) -> Answer:
    """`GET /<origin hash>/checkpoint`: the newest checkpoint of a log that we cosigned."""
    for origin in logs:
        if path == f"/{sha256(origin.encode()).hexdigest()}/checkpoint":
            record = store.load(origin)
            return Answer(200, TEXT, record) if record else _refusal(404, "nothing cosigned yet")
    return _refusal(404, "unknown log")


def _is_growth(last: Checkpoint, asked: Checkpoint, growth: Growth) -> bool:
    # A size of zero has the empty root: `verify_consistency` sees to it, as old is zero then too.
    return verify_consistency(last.size, asked.size, growth.proof, last.root, asked.root)


def _read(record: bytes | None, origin: str) -> Checkpoint:
    """What was cosigned last; nothing yet is the empty tree."""
    if record is None:
        return Checkpoint(origin, 0, EMPTY_ROOT)
    try:
        last = Checkpoint.parse(unverified_text(record))
    except NoteRefused:
        raise RecordDamaged("the witness's record cannot be read") from None
    if last.origin != origin:
        raise RecordDamaged("the witness's record is of another log")
    return last


def _conflict(size: int) -> Answer:
    return Answer(409, SIZE, f"{size}\n".encode())


def _refusal(status: int, why: str) -> Answer:
    return Answer(status, TEXT, f"{why}\n".encode())


# --- over HTTP -------------------------------------------------------------------------------------


def serve_witness(
    address: tuple[str, int], store: Store, logs: Logs, key: WitnessKey, clock: Callable[[], datetime]
) -> ThreadingHTTPServer:
    """A witness bound to this address, not yet serving: the caller runs `serve_forever` and `server_close`."""

    class Handler(_Handler):
        def add_checkpoint(self, body: bytes) -> Answer:
            return answer(body, store, logs, key, clock())

        def checkpoint(self, path: str) -> Answer:
            return latest(path, store, logs)

    return ThreadingHTTPServer(address, Handler)


class _Handler(BaseHTTPRequestHandler):
    """HTTP and nothing more: sizes, lengths, times."""

    protocol_version = "HTTP/1.1"  # tlog-witness: keep-alive should be supported
    server_version = "witness"
    sys_version = ""
    timeout = PATIENCE

    def add_checkpoint(self, body: bytes) -> Answer:
        raise NotImplementedError

    def checkpoint(self, path: str) -> Answer:
        raise NotImplementedError

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or self.headers.get("Transfer-Encoding"):
            self._end(_refusal(411, "a length is needed"))
        elif len(length) > 9 or int(length) > LARGEST_BODY:
            self._end(_refusal(413, "too large"))
        elif self.path != "/add-checkpoint":
            self._end(_refusal(404, "not here"))
        else:
            body = self.rfile.read(int(length))
            self._try(lambda: self.add_checkpoint(body))

    def do_GET(self) -> None:
        self._try(lambda: self.checkpoint(self.path))

    def _try(self, act: Callable[[], Answer]) -> None:
        try:
            answered = act()
        except Exception:  # noqa: BLE001 -- whatever went wrong, nothing was cosigned, and no detail leaves
            self._end(_refusal(500, "not now"))
        else:
            self._send(answered)

    def _end(self, refusal: Answer) -> None:
        """Answer and hang up: what is left of the body has not been read."""
        self.close_connection = True
        self._send(refusal)

    def _send(self, answered: Answer) -> None:
        self.send_response(answered.status)
        self.send_header("Content-Type", answered.content_type)
        self.send_header("Content-Length", str(len(answered.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answered.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's own name
        """Nothing is logged: who asks is the log itself, and its record is the checkpoint."""


# --- asking one ------------------------------------------------------------------------------------


def ask_witness(
    url: str,
    note: bytes,
    old_size: int,
    proof: Callable[[int], Iterable[bytes]],
    timeout: float,
    witness: VerifierKey,
) -> bytes:
    """The note with the witness's cosignature, verified. `proof(old)` proves growth from that size to the note's.

    `old_size` is what we believe it saw last, 0 if we do not know; a 409 tells, and is followed.
    """
    size = Checkpoint.parse(unverified_text(note)).size
    old = old_size
    for _ in range(TRIES):
        answered = _post(url, write_growth(Growth(old, tuple(proof(old)), note)), timeout)
        if answered.status == 200:
            return _add(note, answered.body, witness)
        if answered.status != 409:
            raise WitnessRefused(f"the witness answered {answered.status}")
        old = _size_told(answered)
        if old > size:
            raise WitnessIsAhead(f"the witness has seen {old} leaves, this checkpoint has {size}")
    raise WitnessSilent("the witness kept naming another size")


def _post(url: str, body: bytes, timeout: float) -> Answer:
    try:
        with httpx.stream("POST", f"{url.rstrip('/')}/add-checkpoint", content=body, timeout=timeout) as response:
            received = b""
            for part in response.iter_bytes(4096):
                received += part
                if len(received) > LARGEST_BODY:
                    raise WitnessSilent("the witness's answer is too long")
            return Answer(response.status_code, response.headers.get("Content-Type", ""), received)
    except httpx.HTTPError as problem:
        raise WitnessSilent(f"the witness was not reached: {type(problem).__name__}") from None


def _size_told(answered: Answer) -> int:
    try:
        if answered.content_type != SIZE or not answered.body.endswith(b"\n"):
            raise Malformed("not a size")
        return decimal(answered.body[:-1].decode("ascii", "replace"))
    except Malformed:
        raise WitnessSilent("the witness answered 409 without its size") from None


def _add(note: bytes, lines: bytes, witness: VerifierKey) -> bytes:
    """The note with those lines that are this witness's; others' are dropped unread (tlog-witness)."""
    text = unverified_text(note)
    for line in lines.splitlines(keepends=True):
        try:
            verify_note(text.encode() + b"\n" + line, [witness])
        except NotSigned:
            continue
        except NoteRefused:
            raise WitnessSilent("the witness's answer does not verify") from None
        return note + line
    raise WitnessSilent("the witness answered without its own cosignature")
