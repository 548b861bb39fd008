"""The witness: it cosigns growth and nothing else, writes down before it answers, and of two at once refuses one."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from audit.checkpoint import FileStore, RecordDamaged, Store
from audit.notes import (
    Checkpoint,
    VerifierKey,
    cosign,
    private_key,
    sign_note,
    unverified_text,
    verify_note,
)
from audit.tree import EMPTY_ROOT
from audit.witness import (
    Answer,
    Growth,
    WitnessIsAhead,
    WitnessRefused,
    WitnessSilent,
    answer,
    ask_witness,
    read_growth,
    serve_witness,
    write_growth,
)
from tests.test_checkpoints import AT, KEY, LOG, LOGS, ORIGIN, PARTNER, Failing, Together, Trail, at_once, trail

SECONDS = int(AT.timestamp())


def ask(store: Store, body: bytes) -> Answer:
    return answer(body, store, LOGS, PARTNER, AT)


def holding(folder: Path, size: int) -> FileStore:
    """The record of a witness that has cosigned this much."""
    store = FileStore(folder)
    assert ask(store, trail(size).asks(0)).status == 200
    return store


def remembered(store: Store) -> Checkpoint:
    return Checkpoint.parse(unverified_text(store.load(ORIGIN) or b""))


# --- what it answers ---------------------------------------------------------------------------------


def test_growth_is_cosigned_and_written_down(tmp_path: Path) -> None:
    store, old = FileStore(tmp_path), 0
    for size in [0, 0, 1, 2, 7, 7, 8, 300]:
        told = ask(store, trail(size).asks(old))
        assert told == (200, "text/plain; charset=utf-8", told.body)
        note = trail(size).note() + told.body
        assert verify_note(note, [LOG, PARTNER.verifier]).names == {ORIGIN, PARTNER.name}
        assert told.body.decode() == cosign(unverified_text(note), PARTNER.name, PARTNER.private, SECONDS)
        assert store.load(ORIGIN) == note
        old = size


def test_other_lines_of_the_note_are_neither_minded_nor_kept(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    told = ask(store, write_growth(Growth(0, (), NOTE + STRANGER.split(b"\n\n")[1])))
    assert told.status == 200
    assert store.load(ORIGIN) == NOTE + told.body


def signed(text: str) -> bytes:
    return sign_note(text, ORIGIN, KEY)


GOOD = trail(12)
NOTE = GOOD.note()
PROOF = tuple(GOOD.growth(7))
STRANGER = sign_note(unverified_text(NOTE), ORIGIN, private_key(b"s" * 32))
BAD_LINE = trail(11).note().split(b"\n\n")[1]

REQUESTS: dict[str, tuple[int, bytes]] = {
    "nothing": (400, b""),
    "no note": (400, b"old 7\n\n"),
    "no empty line": (400, b"old 7\n" + NOTE),
    "no old size": (400, b"\n\n" + NOTE),
    "a leading zero": (400, write_growth(Growth(7, PROOF, NOTE)).replace(b"old 7", b"old 07")),
    "two spaces": (400, write_growth(Growth(7, PROOF, NOTE)).replace(b"old 7", b"old  7")),
    "carriage returns": (400, write_growth(Growth(7, PROOF, NOTE)).replace(b"\n", b"\r\n")),
    "a short hash": (400, write_growth(Growth(7, (PROOF[0][:-1],), NOTE))),
    "64 hashes": (400, write_growth(Growth(7, (PROOF[0],) * 64, NOTE))),
    "not ASCII": (400, "old ٧\n\n".encode() + NOTE),
    "a note cut short": (400, write_growth(Growth(7, PROOF, NOTE[:-1]))),
    "extension lines": (400, write_growth(Growth(7, PROOF, signed(unverified_text(NOTE) + "more\n")))),
    "old above new": (400, write_growth(Growth(13, PROOF, NOTE))),
    "signed by nobody known": (403, write_growth(Growth(7, PROOF, STRANGER))),
    "a bad line of a known key": (403, write_growth(Growth(7, PROOF, NOTE + BAD_LINE))),
    "another text under the signature": (403, write_growth(Growth(7, PROOF, NOTE.replace(b"\n12\n", b"\n13\n")))),
    "another log": (404, write_growth(Growth(7, PROOF, NOTE.replace(b"example/1", b"example/2")))),
    "a first request": (409, GOOD.asks(0)),
    "an older size": (409, GOOD.asks(6)),
    "a newer size": (409, GOOD.asks(8)),
    "an older checkpoint": (409, trail(6).asks(6)),
    "a rollback": (409, trail(6).asks(0)),
    "no proof": (422, write_growth(Growth(7, (), NOTE))),
    "a hash too many": (422, write_growth(Growth(7, (*PROOF, PROOF[0]), NOTE))),
    "a hash too few": (422, write_growth(Growth(7, PROOF[:-1], NOTE))),
    "a fork": (422, trail(12, "fork", 6).asks(7)),
    "a fork of the same size": (422, trail(7, "fork", 6).asks(7)),
    "a proof where nothing grew": (422, write_growth(Growth(7, PROOF, trail(7).note()))),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_what_is_not_growth_gets_the_specifications_status_and_changes_nothing(tmp_path: Path, case: str) -> None:
    status, body = REQUESTS[case]
    store = holding(tmp_path, 7)
    record = store.load(ORIGIN)
    told = ask(store, body)
    assert told.status == status, told
    if status == 409:
        assert told == (409, "text/x.tlog.size", b"7\n")
    assert b"partner.example" not in told.body
    assert store.load(ORIGIN) == record
    assert ask(store, GOOD.asks(7)).status == 200


def test_from_nothing_there_is_no_proof_and_the_empty_tree_has_the_empty_root(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert ask(store, write_growth(Growth(0, PROOF, NOTE))).status == 422
    assert ask(store, write_growth(Growth(0, (), signed(Checkpoint(ORIGIN, 0, b"x" * 32).text())))).status == 422
    assert store.load(ORIGIN) is None
    assert ask(store, write_growth(Growth(0, (), signed(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text())))).status == 200


def test_20_rollbacks_and_20_forks_of_20_are_refused(tmp_path: Path) -> None:
    for seed in range(20):
        size = 2 + 13 * seed
        store = holding(tmp_path / str(seed), size)
        short = seed * size // 20
        statuses = [ask(store, trail(short).asks(old)).status for old in {0, short}]
        forks = [trail(longer, "fork", short) for longer in [size, size + seed, size + 300]]
        statuses += [ask(store, fork.asks(size)).status for fork in forks]
        assert all(status in {409, 422} for status in statuses), statuses
        assert remembered(store) == Checkpoint(ORIGIN, *trail(size).size_and_root())


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_store_that_fails_cosigns_nothing_and_the_next_request_is_safe(tmp_path: Path, fails: str) -> None:
    for seed in range(20):
        store = Failing(holding(tmp_path / str(seed), 7), fails)
        with pytest.raises(OSError, match=r"no space|nobody knows"):
            ask(store, trail(12 + seed).asks(7))
        grown = 7 if fails == "before" else 12 + seed
        assert remembered(store).size == grown
        if fails == "after":  # written, not answered: a fork of that size is refused, the same checkpoint cosigned
            assert ask(store, trail(12 + seed, "fork", 8).asks(7)) == (409, "text/x.tlog.size", f"{grown}\n".encode())
            assert ask(store, trail(12 + seed, "fork", 8).asks(grown)).status == 422
        assert ask(store, trail(12 + seed).asks(grown)).status == 200


def test_of_two_growths_at_once_one_is_cosigned_and_one_is_told_the_size(tmp_path: Path) -> None:
    for seed in range(20):
        together = Together(holding(tmp_path / str(seed), 7))
        logs = [trail(8 + seed), trail(9 + 2 * seed, "fork", 7)]

        def asking(log: Trail, store: Store = together) -> Callable[[], object]:
            return lambda: ask(store, log.asks(7))

        told = [each for each in at_once(asking(log) for log in logs) if isinstance(each, Answer)]
        assert sorted(each.status for each in told) == [200, 409]
        won = remembered(together)
        refused = next(each for each in told if each.status == 409)
        assert refused.body == f"{won.size}\n".encode()
        assert won in [Checkpoint(ORIGIN, *log.size_and_root()) for log in logs]


def test_a_damaged_record_cosigns_nothing(tmp_path: Path) -> None:
    for record in [b"", b"x", NOTE[:-1], NOTE.replace(b"example/1", b"example/2")]:
        store = FileStore(tmp_path / sha256(record).hexdigest())
        store.swap(ORIGIN, None, record)
        with pytest.raises(RecordDamaged):
            ask(store, GOOD.asks(0))


def test_what_is_asked_is_read_as_it_was_written() -> None:
    for growth in [Growth(0, (), NOTE), Growth(7, PROOF, NOTE), Growth(7, (bytes(32),) * 63, NOTE)]:
        assert read_growth(write_growth(growth)) == growth


# --- over HTTP ---------------------------------------------------------------------------------------


@contextmanager
def running(server: socketserver.TCPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(store: Store) -> Iterator[str]:
    with running(serve_witness(("127.0.0.1", 0), store, LOGS, PARTNER, lambda: AT)) as url:
        yield url


def asked(url: str, log: Trail, old: int, key: VerifierKey = PARTNER.verifier) -> bytes:
    return ask_witness(url, log.note(), old, log.growth, 5, key)


def test_a_witness_is_asked_over_http_and_a_wrong_size_is_put_right(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    with serving(store) as url:
        note = b""
        for size, believed in [(3, 0), (9, 3), (9, 9), (20, 0), (21, 5)]:
            note = asked(url, trail(size), believed)
            assert verify_note(note, [LOG, PARTNER.verifier]).names == {ORIGIN, PARTNER.name}
        at = f"{url}{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
        assert httpx.get(at).content == note
        with pytest.raises(WitnessIsAhead):
            asked(url, trail(20), 20)
        with pytest.raises(WitnessRefused, match="422"):
            asked(url, trail(22, "fork", 20), 21)
        with pytest.raises(WitnessSilent):  # it signed, but not with the key we know
            asked(url, trail(30), 21, LOG)
    with pytest.raises(WitnessSilent):
        asked(url, trail(31), 30)


def test_what_is_no_request_is_turned_away_and_nothing_is_said_of_a_failure(tmp_path: Path) -> None:
    with serving(Failing(FileStore(tmp_path), "before")) as url, httpx.Client(base_url=url) as client:
        assert client.post("/add-checkpoint", content=GOOD.asks(0)).status_code == 500
        assert "space" not in client.post("/add-checkpoint", content=b"").text
        assert client.post("/add-checkpoint", content=b"x" * 65_537).status_code == 413
        assert client.post("/add-checkpoint", content=iter([b"x"])).status_code == 411
        assert client.post("/elsewhere", content=b"x").status_code == 404
        assert client.get("/checkpoint").status_code == 404
        assert client.get(f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint").status_code == 404
        assert client.put("/add-checkpoint", content=b"x").status_code == 501
        assert client.post("/add-checkpoint", content=GOOD.asks(0)).status_code == 200


def http(head: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 " + head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@contextmanager
def telling(told: bytes) -> Iterator[str]:
    """A server that says the same to everybody."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked = b"begun"
            while asked and not asked.endswith(b"=\n"):  # what is left unread would cut the answer off
                asked = self.request.recv(65_536)
            with suppress(OSError):  # of an answer that is too long the rest is not taken
                self.request.sendall(told)

    with running(socketserver.TCPServer(("127.0.0.1", 0), Handler)) as url:
        yield url


TOLD = [
    (http(b"409 Conflict\r\nContent-Type: text/plain", b"3\n"), "without its size"),
    (http(b"409 Conflict\r\nContent-Type: text/x.tlog.size", b"3"), "without its size"),
    (http(b"409 Conflict\r\nContent-Type: text/x.tlog.size", b"03\n"), "without its size"),
    (http(b"409 Conflict\r\nContent-Type: text/x.tlog.size", b"3\n"), "another size"),  # again and again
    (http(b"200 OK", b""), "without its own cosignature"),
    (http(b"200 OK", b"x" * 70_000), "too long"),
    (http(b"200 OK", b"hello\n"), "does not verify"),
    (b"nonsense", "RemoteProtocolError"),
    (b"", "RemoteProtocolError"),
]


@pytest.mark.parametrize(("told", "why"), TOLD, ids=range(len(TOLD)))
def test_an_answer_that_is_no_answer_is_silence(told: bytes, why: str) -> None:
    with telling(told) as url, pytest.raises(WitnessSilent, match=why):
        asked(url, trail(5), 0)


def test_a_cosignature_by_the_right_key_on_another_checkpoint_is_refused() -> None:
    other = cosign(unverified_text(trail(4).note()), PARTNER.name, PARTNER.private, SECONDS).encode()
    with telling(http(b"200 OK", other)) as url, pytest.raises(WitnessSilent, match="does not verify"):
        asked(url, trail(5), 0)
