"""Checks a bundle of the trail, offline and on its own: a zip, public keys, no database, no other file of ours.

It is for those who have no reason to believe us, and needs Python 3.11 and `cryptography`, nothing more:

    python check.py BUNDLE --key FILE [--witnesses N] [--since NOTE] [--tree-only]

FILE holds verifier keys, one a line: the log's, and those of witnesses. NOTE is a checkpoint kept from before. With
--tree-only the leaves are hashed and not read: these are the bytes that were signed, whatever they say; it is quick.

Rules kept here (the formats are those of docs/trail.md):
- Nothing is believed before the checkpoint's signature is. The root is recomputed from the leaves themselves.
- One pass, one bundle of 256 leaves in memory at a time; beyond that a few words for each consultation.
- Every member of the zip is expected by name and size before it is unpacked; anything else is a finding.
- Whatever it is given it answers in lines and a number: 0 good, 1 tampered, 2 incomplete, 3 usage.
- Not shown by any bundle: what was never recorded, and what was recorded after its checkpoint.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import re
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GOOD, TAMPERED, INCOMPLETE, USAGE = 0, 1, 2, 3
VERDICTS = ("good", "TAMPERED", "INCOMPLETE")

WIDTH, HASH = 256, 32  # of a tile, in hashes; of a hash, in bytes
LONGEST_LEAF = 65_535
LARGEST = 2**53 - 1  # RFC 8785 3.2.2.3: larger whole numbers have no one form
LIMITS = {"checkpoint": 100_000, "proofs.json": 2**26, "words.json": 2**26}  # bytes
MOST_TOLD = 50  # findings told one by one; the rest are counted

PLAIN = {str, bool, type(None)}  # what a fact may be besides a whole number
CATEGORIES = {"collection", "alteration", "consultation", "disclosure", "combination", "erasure", "system"}
FIXED = {"consultation.moved": "alteration", "consultation.erased": "erasure", "trail.recovered": "system"}
EVENT, NAME, ID, HEX = (
    re.compile(one) for one in ("[a-z_]+[.][a-z_]+", "[a-z][a-z0-9_]*", "[!-~]{1,64}", "[0-9a-f]{64}")
)
DECIMAL, ORIGIN = re.compile("0|[1-9][0-9]{0,17}"), re.compile(r"[^\s+]+/([1-9][0-9]{0,8})")
SIGNATURE = re.compile(r"— ([^\s+]+) (\S+)")
MEMBERS = ("actor", "category", "consultation", "cseq", "event", "facts", "index", "t_ms", "v")

# Word for word the table of docs/states.md: trigger, from, to.
MOVES = """
doubt: seeking > stale
still_needed: stale > seeking
offer: seeking offered kept > offered
offer: lead_called > lead_called
call_lead: seeking offered > lead_called
keep: seeking offered lead_called > kept
accept: offered lead_called kept > talking
lead_took: lead_called kept advice_raised > fallback
officer_wrote: offered > offered
officer_wrote: lead_called > lead_called
officer_wrote: kept > kept
officer_wrote: stale > seeking
officer_wrote: talking advice_sent advice_raised > talking
officer_wrote: transfer_offered > transfer_offered
idva_wrote: talking > talking
idva_wrote: transfer_offered > transfer_offered
idva_wrote: advice_sent > advice_sent
idva_wrote: advice_raised > advice_raised
owner_lost: talking transfer_offered > seeking
offer_transfer: talking > transfer_offered
transfer_accepted: transfer_offered > talking
transfer_refused: transfer_offered > talking
advise: talking advice_sent advice_raised > advice_sent
understood: advice_sent advice_raised > advised
ask_on: advice_sent advice_raised > talking
raise: advice_sent > advice_raised
withdraw: advice_raised advice_sent kept lead_called offered seeking stale talking transfer_offered > withdrawn
quiet: talking > closed_quiet
lapse: stale kept advice_raised > fallback
reopen: advised closed_quiet fallback withdrawn > seeking
"""
LEGAL = {
    (trigger, source, target.strip())
    for trigger, _, move in (line.partition(": ") for line in MOVES.split("\n") if line)
    for sources, _, target in [move.partition(">")]
    for source in sources.split()
}


class Tampered(Exception):
    """Something is not as the line wrote it."""


class Incomplete(Exception):
    """Something that is needed for an answer is not there."""


class Usage(Exception):
    """The question was not put properly."""


@dataclass(frozen=True)
class Report:
    """What was checked, and what was found."""

    origin: str
    size: int  # of the log that the checkpoint signs
    root: str  # base64
    witnesses: int  # that cosigned, of those whose keys were given
    leaves: int  # that are in the bundle
    consultations: int
    words: int  # wordings shown to be those recorded
    read: bool  # whether the leaves were held against the rules, and not only hashed
    findings: tuple[tuple[int, str], ...]  # TAMPERED or INCOMPLETE, and in which way

    @property
    def code(self) -> int:
        """The exit code: tampered outweighs incomplete."""
        return min((kind for kind, _ in self.findings), default=GOOD)


# --- keys and checkpoints --------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A verifier key of signed notes: kind 1 signs a log, kind 4 cosigns as a witness."""

    name: str
    id: bytes
    kind: int
    public: bytes

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made the signature (without its key id) over a note's text."""
        if self.kind == 4:
            seconds, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            text = b"cosignature/v1\ntime %d\n" % seconds + text
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """What a log signed: its name with the epoch, its size, its root."""

    text: bytes
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes], ...]  # name; key id and signature

    @property
    def epoch(self) -> int:
        """The last part of the origin."""
        return int(self.origin.rpartition("/")[2])


def read_keys(text: str) -> list[Key]:
    """Verifier keys, one a line; empty lines and those beginning with # are passed over. Raises `Usage`."""
    lines = [line.strip() for line in text.splitlines()]
    keys = [_read_key(line) for line in lines if line and not line.startswith("#")]
    if not any(key.kind == 1 for key in keys):
        raise Usage("there is no log's key among the keys")
    return keys


def _read_key(line: str) -> Key:
    name, _, rest = line.partition("+")
    number, _, encoded = rest.partition("+")
    raw = _base64(encoded)
    expected = sha256(f"{name}\n".encode() + (raw or b"")).digest()[:4]
    if raw is None or len(raw) != 33 or raw[0] not in {1, 4} or number != expected.hex():
        raise Usage(f"this is not a verifier key: {line[:80]!a}")
    return Key(name, expected, raw[0], raw[1:])


def read_checkpoint(note: bytes) -> Checkpoint:
    """A signed note that is a checkpoint in the one form we write. Raises `Tampered`."""
    try:
        body, _, tail = note.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise Tampered("the checkpoint is not UTF-8") from None
    lines, ends = body.split("\n"), tail.split("\n")
    if len(lines) != 3 or ends.pop() or not 1 <= len(ends) <= 64 or any(c < " " for line in lines + ends for c in line):
        raise Tampered("the checkpoint is not a signed note of three lines")
    root = _base64(lines[2])
    if not (ORIGIN.fullmatch(lines[0]) and DECIMAL.fullmatch(lines[1]) and root and len(root) == HASH):
        raise Tampered("the checkpoint's origin, size or root is not in its one form")
    signatures = []
    for line in ends:
        found = SIGNATURE.fullmatch(line)
        raw = _base64(found[2]) if found else None
        if found is None or raw is None or len(raw) < 5:
            raise Tampered("a signature line of the checkpoint is not in its one form")
        signatures.append((found[1], raw))
    return Checkpoint(f"{body}\n".encode(), lines[0], int(lines[1]), root, tuple(signatures))


def verify_checkpoint(checkpoint: Checkpoint, keys: Sequence[Key], quorum: int = 0) -> int:
    """The log's own signature and those of known witnesses; gives how many of these. Raises."""
    known = {(key.name, key.id): key for key in keys}
    signers: set[Key] = set()
    for name, raw in checkpoint.signatures:
        key = known.get((name, raw[:4]))
        if key is None:
            continue  # C2SP signed-note: unknown keys are passed over
        if not key.signed(checkpoint.text, raw[4:]):
            raise Tampered(f"the checkpoint's signature by {name!a} is not genuine")
        signers.add(key)
    logs = {key.name for key in signers if key.kind == 1}
    if checkpoint.origin not in logs:
        if logs:
            raise Tampered(f"the checkpoint says {checkpoint.origin!a} but is signed by {min(logs)!a}")
        raise Incomplete(f"no key that was given signed this checkpoint of {checkpoint.origin!a}")
    witnesses = len({key.public for key in signers if key.kind == 4})
    if witnesses < quorum:
        raise Incomplete(f"{witnesses} known witnesses cosigned the checkpoint, {quorum} are wanted")
    return witnesses


def _base64(text: Any) -> bytes | None:
    """The bytes, or None when this is not their one spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


# --- what is in a leaf -----------------------------------------------------------------------------


def _no_fractions(text: str) -> NoReturn:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=_no_fractions, parse_constant=_no_fractions)
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))
_FIELDS = itemgetter(*MEMBERS)


def _parsed(leaf: bytes) -> tuple[str, Any]:
    """A leaf's text and its value; None where it is no JSON object from its first byte to its last."""
    try:
        text = leaf.decode()
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return "", None
    return text, value if end == len(text) and type(value) is dict else None


def _canonical(values: list[Any], texts: str) -> bool:
    """RFC 8785, for our subset of JSON: no fractions, ASCII names. Many at once, because that is the dear part."""
    try:
        return _ENCODER.encode(values) == f"[{texts}]"
    except (ValueError, RecursionError):
        return False


class Case:
    """One consultation while it is replayed."""

    __slots__ = ("due", "erased", "state")

    def __init__(self) -> None:
        self.due = 0  # the next cseq
        self.state: str | None = "seeking"  # None: not known, because leaves before are missing
        self.erased = False


class Replay:
    """Holds leaves, in order, against the rules of the trail."""

    def __init__(self, whole: bool) -> None:
        self.whole = whole  # every leaf of the log is here, so that a gap is a forgery and not an omission
        self.cases: dict[str, Case] = {}
        self.epoch = 1
        self.lost: dict[int, tuple[int, int]] = {}  # by the epoch that began over it
        self._last = 0
        self._events: dict[str, str] = dict(FIXED)  # with the category of each: an event has one
        self._names: set[str] = set()  # of facts, seen to be well-formed
        self._actors: set[str] = set()  # likewise

    def take(self, leaf: Any, index: int) -> None:
        """The next leaf, which is canonical JSON. Raises `Tampered` or `Incomplete` for the first thing wrong."""
        try:
            actor, category, consultation, cseq, event, facts, own, t_ms, v = _FIELDS(leaf)
        except KeyError:
            raise Tampered("it lacks a member") from None
        if len(leaf) != len(MEMBERS) or type(v) is not int or v != 1:
            raise Tampered("it is not of version 1")
        if type(own) is not int or own != index:
            raise Tampered(f"it says index {ascii(own)[:30]}")
        before, self._last = self._last, t_ms if type(t_ms) is int and 0 <= t_ms <= LARGEST else -1
        if self._last < before:
            self._last = before
            raise Tampered("its time is before that of the leaf before")
        self._well_formed(actor, category, event, facts)
        if consultation is not None:
            self._in_consultation(consultation, cseq, event, facts)
        elif cseq is not None or event in {"consultation.moved", "consultation.erased"}:
            raise Tampered("it belongs to no consultation, and should")
        elif event == "trail.recovered":
            self._recovered(index, facts)

    def _well_formed(self, actor: Any, category: Any, event: Any, facts: Any) -> None:
        if type(event) is not str or self._events.get(event) != category:
            self._new_event(event, category)
        if type(actor) is not str or (actor not in self._actors and not ID.fullmatch(actor)):
            raise Tampered("its actor is no id")
        self._actors.add(actor)
        if type(facts) is not dict:
            raise Tampered("its facts are no object")
        if not self._names.issuperset(facts):
            if not all(NAME.fullmatch(name) for name in facts):
                raise Tampered("a fact's name is not well-formed")
            self._names.update(facts)
        for value in facts.values():
            kind = type(value)
            if kind not in PLAIN and (kind is not int or not -LARGEST <= value <= LARGEST):
                raise Tampered("a fact is neither text, nor a number, nor a boolean")

    def _new_event(self, event: Any, category: Any) -> None:
        if type(event) is not str or event in self._events or not EVENT.fullmatch(event):
            raise Tampered(f"it has event {ascii(event)[:40]} of category {ascii(category)[:40]}")
        if type(category) is not str or category not in CATEGORIES:
            raise Tampered(f"there is no category {ascii(category)[:40]}")
        self._events[event] = category

    def _in_consultation(self, consultation: Any, cseq: Any, event: str, facts: dict[str, Any]) -> None:
        if type(consultation) is not str or type(cseq) is not int:
            raise Tampered("its consultation or cseq is not well-formed")
        case = self.cases.get(consultation) or self._new_case(consultation)
        due, case.due = case.due, cseq + 1
        if cseq > due and not self.whole:
            case.state = None
            raise Incomplete(f"leaves {due} to {cseq - 1} of consultation {consultation} are missing before it")
        if cseq != due:
            raise Tampered(f"it is number {cseq} of consultation {consultation}, and {due} was due")
        if case.erased and event.startswith(("words.", "message.")):
            raise Tampered(f"{event} in consultation {consultation}, which was erased")
        if "commitment" in facts:
            _committed(facts)
        if event in FIXED:
            self._of_meaning(case, event, facts)

    def _new_case(self, consultation: str) -> Case:
        if not ID.fullmatch(consultation):
            raise Tampered("its consultation is no id")
        self.cases[consultation] = Case()
        return self.cases[consultation]

    def _of_meaning(self, case: Case, event: str, facts: dict[str, Any]) -> None:
        if event == "consultation.moved":
            self._moved(case, facts)
        elif event == "consultation.erased":
            case.erased = True
        else:
            raise Tampered("a recovery belongs to no consultation")

    @staticmethod
    def _moved(case: Case, facts: dict[str, Any]) -> None:
        move = facts.get("trigger"), facts.get("from"), facts.get("to")
        before, case.state = case.state, facts.get("to") if isinstance(facts.get("to"), str) else None
        if move not in LEGAL:
            raise Tampered(f"no such move: {ascii(move)[:90]}")
        if before is not None and before != move[1]:
            raise Tampered(f"it moves from {move[1]}, and the consultation was {ascii(before)[:30]}")

    def _recovered(self, index: int, facts: dict[str, Any]) -> None:
        epoch, start, stop = numbers = [facts.get(one, "") for one in ("epoch", "lost_from", "lost_to")]
        if {*map(type, numbers)} != {int} or not start == index < stop or not facts.get("reference"):
            raise Tampered("a recovery has to say which epoch begins, which leaves were lost, and under what reference")
        if epoch != self.epoch + 1:
            raise Tampered(f"epoch {epoch} begins after epoch {self.epoch}")
        self.epoch, self.lost[epoch] = epoch, (start, stop)


def _committed(facts: dict[str, Any]) -> None:
    mark, seal, message, version = (facts.get(one) for one in ("commitment", "sealed", "message", "version"))
    if type(mark) is not str or type(seal) is not str or not (HEX.fullmatch(mark) and HEX.fullmatch(seal)):
        raise Tampered("its commitment is not well-formed")
    if type(message) is not int or type(version) is not int or message < 1 or version < 1:
        raise Tampered("it commits to no message and version")


# --- the zip ---------------------------------------------------------------------------------------


class Bundle:
    """The members of a zip, each read whole under a limit, and only when it is asked for by name."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file
        entries = file.infolist()
        self.names = {entry.filename for entry in entries}
        twice = [name for name, times in Counter(entry.filename for entry in entries).items() if times > 1]
        if twice:
            raise Tampered(f"the zip has two members named {ascii(twice[0])[:80]}")

    def read(self, name: str, limit: int) -> bytes:
        """A member. Its length is believed neither from the zip's list nor from what was compressed."""
        if name not in self.names:
            raise Incomplete(f"{name} is missing")
        entry = self._file.getinfo(name)
        if entry.flag_bits & 1 or entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED} or entry.file_size > limit:
            raise Tampered(f"{name} is encrypted, oddly compressed or larger than {limit} bytes")
        try:
            with self._file.open(entry) as member:
                data = member.read(limit + 1)
        except (BadZipFile, EOFError, OSError, RuntimeError, ValueError, struct.error, zlib.error) as error:
            raise Tampered(f"{name} cannot be unpacked ({type(error).__name__})") from None
        if len(data) != entry.file_size:
            raise Tampered(f"{name} is not as long as the zip says")
        return data

    def only(self, expected: Iterator[str]) -> Iterator[tuple[int, str]]:
        """What is missing, and what should not be here."""
        wanted = set(islice(expected, len(self.names) + 1))  # a signed size may be far larger than this zip
        for verdict, names, what in (
            (INCOMPLETE, wanted - self.names, "missing"),
            (TAMPERED, self.names - wanted, "no part of such a bundle"),
        ):
            if names:
                more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
                yield verdict, f"{ascii(min(names))[1:-1][:80]} is {what}{more}"


def tile_path(level: int | str, number: int, width: int) -> str:
    """C2SP tlog-tiles: the number in threes, all but the last with an x; a width where the tile is not full."""
    last, rest = f"{number % 1000:03}", number // 1000
    while rest:
        last, rest = f"x{rest % 1000:03}/{last}", rest // 1000
    return f"tile/{level}/{last}" + (f".p/{width}" if width < WIDTH else "")


def _members(size: int) -> Iterator[str]:
    """Every member of the bundle of a whole log."""
    yield "checkpoint"
    level, count = 0, size
    while count:
        for start in range(0, count, WIDTH):
            width = min(WIDTH, count - start)
            yield tile_path(level, start // WIDTH, width)
            if level == 0:
                yield tile_path("entries", start // WIDTH, width)
        level, count = level + 1, count // WIDTH


# --- the tree --------------------------------------------------------------------------------------


def _top(row: list[bytes]) -> bytes:
    """RFC 6962 2.1, from below: pairs are hashed, and an odd one goes up as it is."""
    while len(row) > 1:
        odd = row[len(row) // 2 * 2 :]
        row = [sha256(b"\1" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)] + odd
    return row[0]


def _root(levels: list[list[bytes]]) -> bytes:
    """The root over the unfinished tiles of each level, lowest first."""
    edge: list[bytes] = []
    for hashes in levels:
        row = hashes + edge
        edge = [_top(row)] if row else []
    return edge[0] if edge else sha256().digest()


class Tree:
    """The log's tree, grown from its leaves and compared with each tile of the bundle as that tile is full."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._levels: list[list[bytes]] = [[]]
        self._tiles = [0]

    def grow(self, hashes: list[bytes]) -> Iterator[str]:
        """One entry bundle's leaf hashes more. Gives what is wrong with the tiles."""
        self._levels[0] = hashes
        level = 0
        while len(self._levels[level]) == WIDTH:
            yield from self._compare(level)
            above = _top(self._levels[level])
            self._levels[level], self._tiles[level] = [], self._tiles[level] + 1
            level += 1
            if level == len(self._levels):
                self._levels.append([])
                self._tiles.append(0)
            self._levels[level].append(above)

    def finish(self) -> Iterator[str]:
        """The tiles that stay partial."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                yield from self._compare(level)

    def root(self, more: list[bytes] | None = None) -> bytes:
        """The root so far; or as it would be with these leaf hashes after the full tiles."""
        return _root(self._levels if more is None else [more, *self._levels[1:]])

    def _compare(self, level: int) -> Iterator[str]:
        hashes = self._levels[level]
        path = tile_path(level, self._tiles[level], len(hashes))
        if self._bundle.read(path, WIDTH * HASH) != b"".join(hashes):
            yield f"{path} does not hold the hashes of the leaves"


# --- a bundle of the whole log, and one of consultations -------------------------------------------


class Check:
    """One checking of one bundle: what it has seen and found so far."""

    def __init__(self, bundle: Bundle, checkpoint: Checkpoint, since: Checkpoint | None, *, read: bool) -> None:
        self.bundle, self.checkpoint, self.since = bundle, checkpoint, since
        self.read = read or "proofs.json" in bundle.names  # a bundle of consultations has no tree to be checked alone
        self.findings: list[tuple[int, str]] = []
        self.untold = Counter[int]()
        self.replay = Replay(whole="proofs.json" not in bundle.names)
        self.leaves = self.words = 0

    def find(self, kind: int, what: str) -> None:
        """Keep a finding; of very many only the number."""
        if len(self.findings) < MOST_TOLD:
            self.findings.append((kind, what))
        else:
            self.untold[kind] += 1

    def told(self) -> tuple[tuple[int, str], ...]:
        """The findings, and how many more there are."""
        return (*self.findings, *((kind, f"and {times} more like these") for kind, times in self.untold.items()))

    def run(self) -> None:
        """Check what the checkpoint stands for."""
        for kind, what in self.bundle.only(self._expected()):
            self.find(kind, what)
        if any(kind == INCOMPLETE for kind, _ in self.findings):
            return
        if not self.replay.whole:
            self._consultations()
            return
        self._log()
        if self.read and self.replay.epoch != self.checkpoint.epoch:
            self.find(TAMPERED, f"the leaves are of epoch {self.replay.epoch}, the checkpoint is of another")

    def _expected(self) -> Iterator[str]:
        if self.replay.whole:
            return _members(self.checkpoint.size)
        return iter(["checkpoint", "proofs.json", *({"words.json"} & self.bundle.names)])

    def take(self, leaves: Sequence[tuple[int, bytes]]) -> list[Any]:
        """Some leaves with their indices, in order, held against the rules. Gives their values."""
        parsed = [_parsed(leaf) for _, leaf in leaves]
        clean = all(value is not None for _, value in parsed) and _canonical(
            [value for _, value in parsed], ",".join(text for text, _ in parsed)
        )
        self.leaves += len(leaves)
        for (index, _), (text, value) in zip(leaves, parsed, strict=True):
            try:
                if value is None or not (clean or _canonical([value], text)):
                    raise Tampered("it is not canonical JSON")
                self.replay.take(value, index)
            except Tampered as wrong:
                self.find(TAMPERED, f"leaf {index}: {wrong}")
            except Incomplete as wrong:
                self.find(INCOMPLETE, f"leaf {index}: {wrong}")
        return [value for _, value in parsed]

    def _log(self) -> None:
        tree, size = Tree(self.bundle), self.checkpoint.size
        earlier = sha256().digest() if self.since is not None and self.since.size == 0 else None
        for start in range(0, size, WIDTH):
            width = min(WIDTH, size - start)
            path = tile_path("entries", start // WIDTH, width)
            leaves = _split(path, self.bundle.read(path, WIDTH * (LONGEST_LEAF + 2)), width)
            hashes = [sha256(b"\0" + leaf).digest() for leaf in leaves]
            if self.since is not None and start < self.since.size <= start + width:
                earlier = tree.root(hashes[: self.since.size - start])
            for wrong in tree.grow(hashes):
                self.find(TAMPERED, wrong)
            if self.read:
                self.take(list(enumerate(leaves, start)))
            else:
                self.leaves += width
        for wrong in tree.finish():
            self.find(TAMPERED, wrong)
        if tree.root() != self.checkpoint.root:
            self.find(TAMPERED, "the leaves do not make the root that was signed")
        self._continues(earlier)

    def _continues(self, earlier: bytes | None) -> None:
        """Whether this log is the growth of the checkpoint from before, whose root its leaves make as `earlier`."""
        since, now = self.since, self.checkpoint
        if since is None:
            return
        begun = self.replay.lost.get(since.epoch + 1)
        if since.origin.rpartition("/")[0] != now.origin.rpartition("/")[0] or since.epoch > now.epoch:
            self.find(TAMPERED, f"the earlier checkpoint is of {since.origin!a}")
        elif since.epoch < now.epoch and not self.read:
            self.find(INCOMPLETE, "the earlier checkpoint is of an earlier epoch: what was lost is told by the leaves")
        elif begun is not None and begun[0] < since.size:
            if begun[1] < since.size:
                self.find(TAMPERED, f"leaves {begun[1]} to {since.size - 1} of the earlier checkpoint are lost, unsaid")
        elif since.size > now.size:
            self.find(TAMPERED, f"the log was rolled back: it had {since.size} leaves before and has {now.size}")
        elif earlier != since.root and (earlier is not None or since.size != now.size or since.root != now.root):
            kind, what = (INCOMPLETE, "cannot be compared with") if earlier is None else (TAMPERED, "forks off from")
            self.find(kind, f"this bundle {what} the earlier checkpoint of {since.size} leaves")

    def _consultations(self) -> None:
        told = _read_json(self.bundle, "proofs.json", {"consultations", "leaves"})
        named, rows = told["consultations"], told["leaves"]
        if not (_strings(named) and len(set(named)) == len(named) > 0 and isinstance(rows, list)):
            raise Tampered("proofs.json names no consultations, or has no list of leaves")
        proven: dict[int, Any] = {}
        last = -1
        for row in rows:
            index, leaf = _proven(row, self.checkpoint)
            if index <= last:
                raise Tampered("proofs.json is not in order of index")
            last = index
            [proven[index]] = self.take([(index, leaf)])
            if proven[index] is not None and proven[index].get("consultation") not in named:
                self.find(TAMPERED, f"leaf {index}: it is of none of the consultations that are named")
        for one in sorted(set(named) - self.replay.cases.keys()):
            self.find(INCOMPLETE, f"there is no leaf of consultation {ascii(one)[:80]}")
        if "words.json" in self.bundle.names:
            self._words(proven)
        self._continues(None)

    def _words(self, proven: dict[int, Any]) -> None:
        shown: set[int] = set()
        told = _read_json(self.bundle, "words.json", {"messages"})["messages"]
        for at, one in enumerate(told if isinstance(told, list) else [None]):
            try:
                index = _matching(one, proven)
                if index in shown:
                    raise Tampered("their leaf has words already")
                if self.replay.cases[one["consultation"]].erased:
                    raise Tampered("their consultation was erased")
                shown.add(index)
            except Tampered as wrong:
                self.find(TAMPERED, f"words {at}: {wrong}")
            except Incomplete as wrong:
                self.find(INCOMPLETE, f"words {at}: {wrong}")
        self.words = len(shown)


def _split(path: str, data: bytes, width: int) -> list[bytes]:
    """The entries of an entry bundle: each two bytes of length, then itself."""
    leaves, at, last = [], 0, len(data) - 2
    while at <= last:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        leaves.append(data[start:at])
    if at != len(data) or len(leaves) != width:
        raise Tampered(f"{path} does not hold {width} whole leaves")
    return leaves


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _read_json(bundle: Bundle, name: str, members: set[str]) -> dict[str, Any]:
    try:
        told = json.loads(bundle.read(name, LIMITS[name]).decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Tampered(f"{name} is not JSON") from None
    if not isinstance(told, dict) or told.keys() != members | {"v"} or type(told["v"]) is not int or told["v"] != 1:
        raise Tampered(f"{name} is not of version 1")
    return told


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _proven(row: Any, checkpoint: Checkpoint) -> tuple[int, bytes]:
    """A leaf that its proof (RFC 9162 2.1.3.2) shows to be in the tree, and its index."""
    if isinstance(row, dict) and row.keys() == {"index", "leaf"}:
        raise Incomplete(f"leaf {ascii(row['index'])[:30]} has no proof")
    if not isinstance(row, dict) or row.keys() != {"index", "leaf", "proof"} or not _strings(row["proof"]):
        raise Tampered("a leaf in proofs.json is not well-formed")
    index, leaf, proof = row["index"], _base64(row["leaf"]), [_base64(one) for one in row["proof"]]
    if type(index) is not int or not 0 <= index < checkpoint.size or leaf is None or len(leaf) > LONGEST_LEAF:
        raise Tampered(f"leaf {ascii(index)[:30]} is not well-formed, or lies outside of the log")
    node, last, reached = index, checkpoint.size - 1, sha256(b"\0" + leaf).digest()
    for one in proof:
        if one is None or len(one) != HASH or last == 0:
            raise Tampered(f"the proof of leaf {index} is not one")
        if node & 1 or node == last:
            reached = sha256(b"\1" + one + reached).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            reached = sha256(b"\1" + reached + one).digest()
        node, last = node >> 1, last >> 1
    if last or reached != checkpoint.root:
        raise Tampered(f"leaf {index} is not in the tree that was signed")
    return index, leaf


def _matching(one: Any, proven: dict[int, Any]) -> int:
    """The index of the leaf whose commitment these words match."""
    if not isinstance(one, dict) or one.keys() != {"consultation", "leaf", "number", "salt", "version", "words"}:
        raise Tampered("they are not well-formed")
    index, words, salt = one["leaf"], one["words"], _base64(one["salt"])
    if type(index) is not int or not isinstance(words, str) or salt is None or len(salt) != 32:
        raise Tampered("they are not well-formed")  # a salt of another length can be the same key to HMAC
    if index not in proven:
        raise Incomplete(f"their leaf {ascii(index)[:30]} is missing")
    leaf = proven[index]
    facts = leaf.get("facts") if leaf is not None else None
    facts = facts if isinstance(facts, dict) else {}
    place = [leaf and leaf.get("consultation"), facts.get("message"), facts.get("version")]
    asked = [one["consultation"], one["number"], one["version"]]
    if place != asked or list(map(type, place)) != list(map(type, asked)):
        raise Tampered(f"leaf {index} is not of this message and version")
    made = hmac.digest(salt, words.encode("utf-8", "surrogatepass"), "sha256").hex()
    if not hmac.compare_digest(made.encode(), str(facts.get("commitment")).encode()):
        raise Tampered(f"they and their salt are not what leaf {index} committed to")
    return index


# --- asking ----------------------------------------------------------------------------------------


def check(
    bundle_path: Path, keys: Sequence[Key], witnesses: int = 0, since: bytes | None = None, *, read: bool = True
) -> Report:
    """Check a bundle; `read`: the leaves too, and not their tree alone.

    Raises `Usage` when there is no such file, or `since` is no checkpoint of a known key."""
    earlier = None
    if since is not None:
        try:
            earlier = read_checkpoint(since)
            verify_checkpoint(earlier, keys)
        except (Tampered, Incomplete) as wrong:
            raise Usage(f"the earlier checkpoint cannot be used: {wrong}") from None
    try:
        opened = bundle_path.open("rb")
    except (OSError, ValueError) as error:
        raise Usage(f"{bundle_path} cannot be read ({type(error).__name__})") from None
    with opened:
        try:
            with ZipFile(opened) as file:
                return _check(file, keys, witnesses, earlier, read=read)
        except (BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
            return _nothing(INCOMPLETE, f"this is not a whole zip file ({type(error).__name__})")


def _check(file: ZipFile, keys: Sequence[Key], quorum: int, since: Checkpoint | None, *, read: bool) -> Report:
    cosigned, doing = 0, None
    try:
        bundle = Bundle(file)
        checkpoint = read_checkpoint(bundle.read("checkpoint", LIMITS["checkpoint"]))
        cosigned = verify_checkpoint(checkpoint, keys, quorum)
        doing = Check(bundle, checkpoint, since, read=read)
        doing.run()
    except (Tampered, Incomplete, RecursionError) as wrong:
        kind = INCOMPLETE if isinstance(wrong, Incomplete) else TAMPERED
        if doing is None:
            return _nothing(kind, str(wrong))
        doing.find(kind, str(wrong))
    return Report(
        origin=doing.checkpoint.origin,
        size=doing.checkpoint.size,
        root=base64.b64encode(doing.checkpoint.root).decode(),
        witnesses=cosigned,
        leaves=doing.leaves,
        consultations=len(doing.replay.cases),
        words=doing.words,
        read=doing.read,
        findings=doing.told(),
    )


def _nothing(kind: int, why: str) -> Report:
    """The report where the checkpoint could not be believed, and so nothing else was looked at."""
    return Report("", 0, "", 0, 0, 0, 0, False, ((kind, why),))


class _Asking(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Usage(message)


def _asked(arguments: Sequence[str]) -> Report:
    asking = _Asking(prog="check", description="Check a bundle of the trail with nothing but public keys.")
    asking.add_argument("bundle", type=Path, metavar="BUNDLE")
    asking.add_argument("--key", type=Path, action="append", required=True, metavar="FILE", help="verifier keys")
    asking.add_argument("--witnesses", type=int, default=0, metavar="N", help="how many have to have cosigned")
    asking.add_argument("--since", type=Path, metavar="NOTE", help="a checkpoint kept from before")
    asking.add_argument("--tree-only", action="store_true", help="hash the leaves of a whole log, do not read them")
    asked = asking.parse_args(arguments)
    try:
        keys = read_keys("\n".join(file.read_text("utf-8") for file in asked.key))
        since = asked.since.read_bytes() if asked.since else None
    except (OSError, ValueError) as error:
        raise Usage(f"a key file or the earlier checkpoint cannot be read ({type(error).__name__})") from None
    return check(asked.bundle, keys, asked.witnesses, since, read=not asked.tree_only)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Prints a line for each finding and one that says what was checked; gives the exit code."""
    try:
        report = _asked(sys.argv[1:] if arguments is None else arguments)
    except Usage as wrong:
        print(f"USAGE: {ascii(str(wrong))[1:-1]}. See --help.")
        return USAGE
    except SystemExit:  # from --help
        return GOOD
    for kind, what in report.findings:
        print(f"{VERDICTS[kind]}: {ascii(what)[1:-1]}")
    if not report.origin:
        print(f"Nothing was checked beyond this: {VERDICTS[report.code]}.")
        return report.code
    what = f"{report.origin}, {report.size} leaves, root {report.root}, {report.witnesses} witnesses"
    read = f"{report.consultations} consultations, {report.words} wordings" if report.read else "hashed and not read"
    here = f"{report.leaves} leaves here, {read}"
    print(f"Checked {ascii(what)[1:-1]}: {here}: {VERDICTS[report.code]}.")
    return report.code


if __name__ == "__main__":
    sys.exit(main())
