"""Honest logs and bundles, made at random and written anew from the specifications, for trying the checker.

Rules kept here:
- Nothing of `audit/` is used: trees by the recursive definitions of RFC 6962 2.1, tiles by their definition in C2SP
  tlog-tiles, notes by C2SP signed-note, canonical JSON by `rfc8785`. Two that agree were not copied from each other.
- The same seed makes the same log. Consultations move along `conversations.states.MOVES`.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conversations.states import MOVES

Leaf = dict[str, Any]
Members = dict[str, bytes]

HOUSE = "lanyard.example"
WORDS = ("is she safe tonight?", "Höre ich richtig?", "", "\ud83d half a face", "line\nbreak", "😀")
APART = (
    ("duty.began", "system", {"duty": "first"}),
    ("access.signed_in", "system", {"role": "idva"}),
    ("input.refused", "system", {"why": "stranger", "alarm": True}),
    ("line.relay_chosen", "system", {"impact_assessment": "DPIA £7 · “42”"}),
    ("person.added", "collection", {"person": "p-1", "practice": False, "by": None}),
)


# --- notes -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signer:
    """Somebody who signs notes: a log (kind 1) or a witness (kind 4)."""

    name: str
    seed: int
    kind: int = 1

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(b"signer %d" % self.seed).digest())

    @property
    def id(self) -> bytes:
        public = self.private.public_key().public_bytes_raw()
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + public).digest()[:4]

    def key(self) -> str:
        """The verifier key, as it is written in a key file."""
        public = bytes([self.kind]) + self.private.public_key().public_bytes_raw()
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def line(self, text: bytes, number: bytes | None = None) -> bytes:
        """The signature line under a text."""
        if self.kind == 1:
            signature = self.private.sign(text)
        else:
            seconds = 1_790_000_000
            signature = seconds.to_bytes(8, "big")
            signature += self.private.sign(b"cosignature/v1\ntime %d\n" % seconds + text)
        raw = base64.b64encode((number or self.id) + signature)
        return "— ".encode() + self.name.encode() + b" " + raw + b"\n"


def note(origin: str, size: int, root: bytes, signers: Iterable[Signer]) -> bytes:
    """A checkpoint."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    return text + b"\n" + b"".join(signer.line(text) for signer in signers)


# --- trees -----------------------------------------------------------------------------------------


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def _half(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def root_of(hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, over leaf hashes."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = _half(len(hashes))
    return sha256(b"\x01" + root_of(hashes[:k]) + root_of(hashes[k:])).digest()


def path_of(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 2.1.1."""
    if len(hashes) == 1:
        return []
    k = _half(len(hashes))
    if index < k:
        return [*path_of(index, hashes[:k]), root_of(hashes[k:])]
    return [*path_of(index - k, hashes[k:]), root_of(hashes[:k])]


def _place(number: int, width: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    threes = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([f"x{three}" for three in threes[:-1]] + threes[-1:]) + (f".p/{width}" if width < 256 else "")


def tiles_of(hashes: Sequence[bytes]) -> Members:
    """Every tile of the tree."""
    found: Members = {}
    level, row = 0, list(hashes)
    while row:
        for start in range(0, len(row), 256):
            part = row[start : start + 256]
            found[f"tile/{level}/{_place(start // 256, len(part))}"] = b"".join(part)
        row = [root_of(row[start : start + 256]) for start in range(0, len(row) // 256 * 256, 256)]
        level += 1
    return found


def entries_of(leaves: Sequence[bytes]) -> Members:
    """Every entry bundle."""
    found: Members = {}
    for start in range(0, len(leaves), 256):
        part = leaves[start : start + 256]
        found[f"tile/entries/{_place(start // 256, len(part))}"] = b"".join(
            len(leaf).to_bytes(2, "big") + leaf for leaf in part
        )
    return found


# --- logs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Log:
    """Leaves, the words behind their commitments (by index), and who signs."""

    leaves: tuple[Leaf, ...]
    words: Mapping[int, tuple[str, bytes]] = field(default_factory=dict)
    epoch: int = 1
    log: Signer = Signer(f"{HOUSE}/1", 1)
    witness: Signer = Signer("partner.example/w", 2, kind=4)

    @property
    def data(self) -> list[bytes]:
        return [rfc8785.dumps(leaf) for leaf in self.leaves]

    @property
    def hashes(self) -> list[bytes]:
        return [leaf_hash(leaf) for leaf in self.data]

    def keys(self) -> str:
        """The key file."""
        return f"# the log's key, and the partner's\n{self.log.key()}\n\n{self.witness.key()}\n"

    def checkpoint(self, size: int | None = None) -> bytes:
        """Signed and cosigned, at this size."""
        hashes = self.hashes[:size]
        return note(self.log.name, len(hashes), root_of(hashes), [self.log, self.witness])

    def whole(self) -> Members:
        """The bundle of the whole log."""
        return {"checkpoint": self.checkpoint(), **tiles_of(self.hashes), **entries_of(self.data)}

    def some(self, consultations: Sequence[str], words: bool = True) -> Members:
        """The bundle of some consultations."""
        hashes, data = self.hashes, self.data
        mine = [leaf["index"] for leaf in self.leaves if leaf["consultation"] in consultations]
        rows = [
            {"leaf": _b64(data[at]), "index": at, "proof": [_b64(one) for one in path_of(at, hashes)]} for at in mine
        ]
        told = {"v": 1, "consultations": list(consultations), "leaves": rows}
        members = {"checkpoint": self.checkpoint(), "proofs.json": json.dumps(told).encode()}
        erased = {leaf["consultation"] for leaf in self.leaves if leaf["event"] == "consultation.erased"}
        shown = [self._shown(at) for at in mine if at in self.words and self.leaves[at]["consultation"] not in erased]
        if words and shown:
            members["words.json"] = json.dumps({"v": 1, "messages": shown}).encode()
        return members

    def _shown(self, index: int) -> dict[str, Any]:
        leaf, (words, salt) = self.leaves[index], self.words[index]
        facts = leaf["facts"]
        return {
            "consultation": leaf["consultation"],
            "number": facts["message"],
            "version": facts["version"],
            "words": words,
            "salt": _b64(salt),
            "leaf": index,
        }

    def consultations(self) -> list[str]:
        """Their ids, in the order in which they began."""
        return list(dict.fromkeys(leaf["consultation"] for leaf in self.leaves if leaf["consultation"]))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class _Case:
    def __init__(self, name: str) -> None:
        self.name, self.cseq, self.state, self.erased = name, 0, "seeking", False
        self.messages: list[int] = []  # how many versions each has


class _Making:
    """A line at work, sped up."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.leaves: list[Leaf] = []
        self.words: dict[int, tuple[str, bytes]] = {}
        self.cases: list[_Case] = []
        self.epoch = 1
        self.now = 1_790_000_000_000

    def add(self, event: str, category: str, facts: Leaf, case: _Case | None = None) -> None:
        self.now += self.chance.choice((0, 1, 900, 60_000))
        self.leaves.append(
            {
                "v": 1,
                "index": len(self.leaves),
                "t_ms": self.now,
                "event": event,
                "category": category,
                "actor": self.chance.choice(("line", "stranger", "5f0c" * 8, "a1" * 16)),
                "consultation": case.name if case else None,
                "cseq": case.cseq if case else None,
                "facts": facts,
            }
        )
        if case:
            case.cseq += 1

    def step(self) -> None:
        """Something happens."""
        if not self.cases or self.chance.random() < 0.15:
            self.cases.append(_Case(self.chance.randbytes(16).hex()))
        case = self.chance.choice(self.cases)
        acts: list[Callable[[_Case], None]] = [self.apart, self.move, self.move]
        if not case.erased:
            acts += [self.message, self.message, self.edit, self.read, self.notice]
            acts += [self.erase] if self.chance.random() < 0.2 else []
        if self.chance.random() < 0.01:
            acts = [self.recover]
        self.chance.choice(acts)(case)

    def apart(self, _: _Case) -> None:
        event, category, facts = self.chance.choice(APART)
        self.add(event, category, dict(facts))

    def move(self, case: _Case) -> None:
        moves = [(one, to.value) for one, sources, to in MOVES if case.state in {source.value for source in sources}]
        trigger, to = self.chance.choice(moves)
        facts = {"trigger": trigger.value, "from": case.state, "to": to, "owner": self.chance.choice((None, "a1" * 16))}
        self.add("consultation.moved", "alteration", facts, case)
        case.state = to

    def wording(self, event: str, category: str, case: _Case, number: int) -> None:
        words, salt = self.chance.choice(WORDS), self.chance.randbytes(32)
        self.words[len(self.leaves)] = words, salt
        mark = hmac.new(salt, words.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
        version = case.messages[number - 1]
        facts = {"message": number, "version": version, "side": "officer", "kind": "text"}
        self.add(event, category, {**facts, "commitment": mark, "sealed": self.chance.randbytes(32).hex()}, case)

    def message(self, case: _Case) -> None:
        case.messages.append(1)
        self.wording("message.received", "collection", case, len(case.messages))

    def notice(self, case: _Case) -> None:
        case.messages.append(1)
        self.wording("notice.said", "system", case, len(case.messages))

    def edit(self, case: _Case) -> None:
        if case.messages:
            number = self.chance.randrange(len(case.messages)) + 1
            case.messages[number - 1] += 1
            self.wording("message.edited", "alteration", case, number)

    def read(self, case: _Case) -> None:
        self.add("words.read", "consultation", {"upto": len(case.messages), "purpose": "offered"}, case)

    def erase(self, case: _Case) -> None:
        self.add("consultation.erased", "erasure", {"basis": "retention", "reference": "K7Q2"}, case)
        case.erased = True

    def recover(self, _: _Case) -> None:
        self.epoch += 1
        start = len(self.leaves)
        facts = {"epoch": self.epoch, "lost_from": start, "lost_to": start + self.chance.randint(1, 50)}
        self.add("trail.recovered", "system", {**facts, "reference": "INC-1"})


def honest_log(seed: int, size: int | None = None) -> Log:
    """An honest log; of a size that is likely to be awkward when none is asked for."""
    chance = random.Random(seed)
    if size is None:
        size = chance.choice((0, 1, 2, 3, 7, 8, 9, 31, 64, 100, chance.randint(1, 120), chance.randint(1, 120)))
        size = chance.choice((255, 256, 257, 511, 513, 600)) if chance.random() < 0.1 else size
    making = _Making(chance)
    while len(making.leaves) < size:
        making.step()
    return Log(tuple(making.leaves), making.words, making.epoch, Signer(f"{HOUSE}/{making.epoch}", 1))


# --- zips ------------------------------------------------------------------------------------------


def write_zip(path: Path, members: Iterable[tuple[str, bytes]], packed: bool = True) -> Path:
    """A zip of these members, in this order."""
    with warnings.catch_warnings(), ZipFile(path, "w", ZIP_DEFLATED if packed else ZIP_STORED) as file:
        warnings.simplefilter("ignore")  # one name twice is what some bundles are for
        for name, data in members:
            file.writestr(name, data)
    return path
