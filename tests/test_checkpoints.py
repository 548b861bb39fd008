"""Notes, checkpoints, the signer and the witness: exact bytes, growth only, written down before given out."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from audit import checkpoint as signing
from audit.checkpoint import FileStore, LogForked, LogIsBehind, RecordDamaged, RecordLost, Signer, Store
from audit.notes import Checkpoint, NoteRefused, NotSigned, cosign, log_key, private_key, sign_note, unverified_text
from audit.tree import Frontier, Levels, consistency, leaf_hash
from audit.witness import Growth, WitnessKey, write_growth

ORIGIN = "lanyard.example/1"
KEY = private_key(bytes(range(32)))
LOG = log_key(ORIGIN, KEY)
PARTNER = WitnessKey("partner.example/w1", private_key(bytes(range(32, 64))))
LOGS = {ORIGIN: [LOG]}
AT = datetime(2026, 3, 1, 21, 0, tzinfo=UTC)


def leaf(index: int, story: str = "") -> bytes:
    return f"leaf {index} {story}".encode()


def root_of(leaves: Iterable[bytes]) -> bytes:
    return Frontier().extend(leaf_hash(each) for each in leaves).root()


@dataclass
class Trail:
    """A database's log, which somebody may have been at."""

    kept: list[bytes] = field(default_factory=list)

    def size_and_root(self) -> tuple[int, bytes]:
        return len(self.kept), root_of(self.kept)

    def leaves(self, start: int, stop: int) -> Iterable[bytes]:
        return self.kept[start:stop]

    def growth(self, old: int) -> list[bytes]:
        return consistency(old, len(self.kept), Levels(leaf_hash(each) for each in self.kept))

    def note(self) -> bytes:
        """What a signer that had forgotten everything would sign."""
        return sign_note(Checkpoint(ORIGIN, *self.size_and_root()).text(), ORIGIN, KEY)

    def asks(self, old: int) -> bytes:
        return write_growth(Growth(old, tuple(self.growth(old)), self.note()))


def trail(size: int, story: str = "", same: int = 0) -> Trail:
    """A log that tells its own story after the first `same` leaves."""
    return Trail([leaf(index, story if index >= same else "") for index in range(size)])


@dataclass
class Failing:
    """A store whose next writing fails: before it took effect, or after."""

    real: Store
    fails: str = ""

    def load(self, name: str) -> bytes | None:
        return self.real.load(name)

    def swap(self, name: str, expected: bytes | None, new: bytes) -> None:
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise OSError("no space")
        self.real.swap(name, expected, new)
        if fails == "after":
            raise OSError("nobody knows")


@dataclass
class Together:
    """A store that two read before either writes."""

    real: Store
    both: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=10))
    reads: int = 0

    def load(self, name: str) -> bytes | None:
        found = self.real.load(name)
        self.reads += 1
        if self.reads <= 2:
            self.both.wait()
        return found

    def swap(self, name: str, expected: bytes | None, new: bytes) -> None:
        self.real.swap(name, expected, new)


def at_once(acts: Iterable[Callable[[], object]]) -> list[object]:
    """What each gave or raised, all running at once."""
    told: list[object] = []

    def run(act: Callable[[], object]) -> None:
        try:
            told.append(act())
        except Exception as problem:  # noqa: BLE001 -- whatever it is, it is what the test looks at
            told.append(problem)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


# --- the signer --------------------------------------------------------------------------------------


def test_only_growth_is_signed_20_rollbacks_and_20_forks_of_20_are_refused(tmp_path: Path) -> None:
    for seed in range(20):
        size = 2 + 13 * seed
        store = FileStore(tmp_path / str(seed))
        first = Signer(KEY, ORIGIN, store, trail(size)).sign()
        assert first.note == trail(size).note()
        short = seed * size // 20
        with pytest.raises(LogIsBehind):
            Signer(KEY, ORIGIN, store, trail(short)).sign()
        for other in [trail(size, "fork", short), trail(size + seed, "fork", short), trail(size + 300, "fork", short)]:
            with pytest.raises(LogForked):
                Signer(KEY, ORIGIN, store, other).sign()
        assert Signer(KEY, ORIGIN, store, trail(size)).sign() == first  # and it still signs the true one
        assert Signer(KEY, ORIGIN, store, trail(size + 7)).sign().note == trail(size + 7).note()


def test_the_signer_believes_neither_the_databases_root_nor_its_size(tmp_path: Path) -> None:
    @dataclass
    class Liar(Trail):
        root: bytes = b""

        def size_and_root(self) -> tuple[int, bytes]:
            return 5, self.root

        def leaves(self, start: int, stop: int) -> list[bytes]:
            return self.kept[start:]

    for kept in [trail(4), trail(6), trail(5, "other", 4)]:
        for root in [root_of(kept.kept), root_of(trail(5).kept)]:
            if root == root_of(kept.kept) and len(kept.kept) == 5:
                continue  # no lie
            with pytest.raises(LogForked):
                Signer(KEY, ORIGIN, FileStore(tmp_path), Liar(kept.kept, root)).sign()

    class Endless(Trail):
        def leaves(self, start: int, stop: int) -> Iterable[bytes]:
            return itertools.repeat(b"leaf")

    with pytest.raises(LogForked):
        Signer(KEY, ORIGIN, FileStore(tmp_path), Endless(trail(5).kept)).sign()
    assert FileStore(tmp_path).load(ORIGIN) is None


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_store_that_fails_gives_nothing_out_and_never_two_roots_of_one_size(tmp_path: Path, fails: str) -> None:
    outcomes = Counter[str]()
    for seed in range(20):
        chance, store = random.Random(seed), Failing(FileStore(tmp_path / str(seed)))
        kept, given = trail(5), [trail(0)]
        for _ in range(8):
            kept = Trail(kept.kept + [leaf(len(kept.kept), str(chance.random())) for _ in range(chance.randrange(4))])
            # What failed may be rewritten by somebody before it is tried again.
            for log in chance.sample([kept, Trail([*kept.kept[:-1], b"rewritten"]), trail(len(kept.kept) - 1)], 3):
                store.fails = fails if chance.random() < 0.3 else ""
                try:
                    signed = Signer(KEY, ORIGIN, store, log).sign()
                except (OSError, LogForked, LogIsBehind) as refused:
                    outcomes[type(refused).__name__] += 1
                    continue
                assert signed.note == log.note()
                assert log.kept[: len(given[-1].kept)] == given[-1].kept  # growth of the last one given out
                given.append(log)
                outcomes["signed"] += 1
                kept = log
    assert min(outcomes[each] for each in ["OSError", "LogForked", "LogIsBehind", "signed"]) > 20, outcomes


def test_what_failed_after_it_was_written_is_signed_the_same_next_time(tmp_path: Path) -> None:
    store = Failing(FileStore(tmp_path), "after")
    with pytest.raises(OSError, match="nobody knows"):
        Signer(KEY, ORIGIN, store, trail(7)).sign()
    with pytest.raises(LogForked):
        Signer(KEY, ORIGIN, store, trail(7, "fork", 6)).sign()
    store.fails = "before"
    with pytest.raises(OSError, match="no space"):  # written afresh, though nothing is new: that sync may have failed
        Signer(KEY, ORIGIN, store, trail(7)).sign()
    assert Signer(KEY, ORIGIN, store, trail(7)).sign().note == trail(7).note()


def test_of_two_signers_at_once_one_gives_way(tmp_path: Path) -> None:
    together = Together(FileStore(tmp_path))
    told = at_once([Signer(KEY, ORIGIN, together, trail(5 + n, str(n))).sign for n in range(2)])
    assert sorted(type(each).__name__ for each in told) == ["RecordMoved", "Signed"]


def test_a_record_put_back_damaged_or_of_another_log_signs_nothing(tmp_path: Path) -> None:
    published = Signer(KEY, ORIGIN, FileStore(tmp_path / "a"), trail(9)).sign().checkpoint
    for name, log in [("b", trail(4)), ("c", trail(9, "fork", 8))]:
        store = FileStore(tmp_path / name)
        Signer(KEY, ORIGIN, store, log).sign()
        with pytest.raises(RecordLost):
            Signer(KEY, ORIGIN, store, trail(20), published).sign()
    with pytest.raises(RecordLost):
        Signer(KEY, ORIGIN, FileStore(tmp_path / "new"), trail(20), published).sign()
    assert Signer(KEY, ORIGIN, FileStore(tmp_path / "a"), trail(20), published).sign().checkpoint.size == 20
    for record in [b"", b"lanyard.example/2\n" + Frontier().to_bytes(), ORIGIN.encode() + b"\n" + b"x" * 40]:
        store = FileStore(tmp_path / sha256(record).hexdigest())
        store.swap(ORIGIN, None, record)
        with pytest.raises(RecordDamaged):
            Signer(KEY, ORIGIN, store, trail(5)).sign()


def test_a_checkpoint_is_due_after_60_seconds_or_100_leaves_or_at_once() -> None:
    def is_due(size: int, seconds: int, urgent: bool = False) -> bool:
        return signing.due(10, AT, size, urgent, AT + timedelta(seconds=seconds))

    assert not is_due(11, 59)
    assert is_due(11, 60)
    assert not is_due(109, 0)
    assert is_due(110, 0)
    assert is_due(11, 0, urgent=True)
    assert not is_due(10, 3600, urgent=True)  # nothing new to sign
    assert is_due(9, 0)  # rolled back: the refusal has to be heard
    assert signing.due(0, None, 1, False, AT)


# --- publishing --------------------------------------------------------------------------------------


def publish(folder: Path, size: int) -> None:
    signing.publish(folder, ORIGIN, trail(size).note(), size)


def newest(folder: Path) -> int:
    found = signing.newest_published(folder, ORIGIN, [LOG])
    return found.checkpoint.size if found else -1


def test_a_crash_between_writing_down_and_publishing_is_made_good(tmp_path: Path) -> None:
    folder, store = tmp_path / "published", FileStore(tmp_path / "record")
    publish(folder, 5)
    lost = Signer(KEY, ORIGIN, store, trail(8)).sign()  # and here the signer dies
    assert newest(folder) == 5
    again = Signer(KEY, ORIGIN, store, trail(8), signing.newest_published(folder, ORIGIN, [LOG])[0]).sign()  # type: ignore[index]
    assert again == lost
    signing.publish(folder, ORIGIN, again.note, 8)
    assert signing.newest_published(folder, ORIGIN, [LOG]) == lost
    assert sorted(path.name for path in folder.rglob("*")) == [
        "checkpoint",
        "checkpoint.5",
        "checkpoint.8",
        "lanyard.example_1",
    ]


@pytest.mark.parametrize("effect", ["before", "after"])
@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("at", range(4))
def test_a_publishing_that_fails_anywhere_leaves_a_whole_one_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, call: str, effect: str
) -> None:
    publish(tmp_path, 5)
    with monkeypatch.context() as patch:
        calls = failing_at(patch, call, at, effect)
        if at < (4 if call == "fsync" else 2):
            with pytest.raises(OSError, match="fault"):
                publish(tmp_path, 8)
        else:
            publish(tmp_path, 8)
        assert calls
    assert newest(tmp_path) in {5, 8}
    publish(tmp_path, 8)
    assert newest(tmp_path) == 8


@pytest.mark.parametrize("effect", ["before", "after"])
@pytest.mark.parametrize(("call", "at"), [("fsync", 0), ("fsync", 1), ("replace", 0)])
def test_a_record_whose_writing_fails_anywhere_is_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, at: int, effect: str
) -> None:
    store = FileStore(tmp_path)
    Signer(KEY, ORIGIN, store, trail(5)).sign()
    with monkeypatch.context() as patch:
        failing_at(patch, call, at, effect)
        with pytest.raises(OSError, match="fault"):
            Signer(KEY, ORIGIN, store, trail(8)).sign()
    record = store.load(ORIGIN) or b""
    written = Frontier.from_bytes(record.partition(b"\n")[2]).size
    assert written == (8 if (call == "fsync" and at == 1) or (call == "replace" and effect == "after") else 5)
    if written == 8:  # nobody was given it, and still no other is signed
        with pytest.raises(LogForked):
            Signer(KEY, ORIGIN, store, trail(8, "fork", 6)).sign()
    assert Signer(KEY, ORIGIN, store, trail(8)).sign().note == trail(8).note()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([sha256(ORIGIN.encode()).hexdigest(), "lock"])


def failing_at(patch: pytest.MonkeyPatch, call: str, at: int, effect: str) -> list[int]:
    """The `at`th call of fsync or of renaming fails, before it took effect or after."""
    owner: object = os if call == "fsync" else Path
    real, calls = getattr(owner, call), list[int]()

    def failing(*given: object) -> object:
        calls.append(1)
        if len(calls) == at + 1 and effect == "before":
            raise OSError("fault")
        result = real(*given)
        if len(calls) == at + 1:
            raise OSError("fault")
        return result

    patch.setattr(owner, call, failing)
    return calls


def test_what_is_published_never_goes_back_and_is_never_two_things(tmp_path: Path) -> None:
    assert newest(tmp_path) == -1
    publish(tmp_path, 8)
    publish(tmp_path, 5)  # late, and still kept
    assert newest(tmp_path) == 8
    fork = trail(8, "fork", 7).note()
    with pytest.raises(signing.AlreadyPublished):
        signing.publish(tmp_path, ORIGIN, fork, 8)
    place = signing.published_in(tmp_path, ORIGIN)
    for name, wrong in [("checkpoint", fork), ("checkpoint.8", fork), ("checkpoint", b""), ("checkpoint.9", fork)]:
        kept = (place / name).read_bytes() if (place / name).exists() else None
        (place / name).write_bytes(wrong)
        with pytest.raises(NoteRefused):
            newest(tmp_path)
        (place / name).unlink() if kept is None else (place / name).write_bytes(kept)
    with pytest.raises(NoteRefused):
        signing.newest_published(tmp_path, ORIGIN, [PARTNER.verifier])
    text = unverified_text(trail(9).note())
    (place / "checkpoint.9").write_text(text + "\n" + cosign(text, PARTNER.name, PARTNER.private, 1))
    with pytest.raises(NotSigned):  # a witness alone is not the log
        signing.newest_published(tmp_path, ORIGIN, [LOG, PARTNER.verifier])
    (place / "checkpoint.9").unlink()
    for origin, size in [(ORIGIN, 9), ("lanyard.example/2", 8), ("..", 8), ("a\\b", 8), ("", 8)]:
        with pytest.raises(NoteRefused):
            signing.publish(tmp_path, origin, trail(8).note(), size)
    assert newest(tmp_path) == 8
