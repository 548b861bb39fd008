"""Twelve kinds of tampering with a log, each as somebody with more and more power would do it.

Rules kept here:
- `power` 0 changes the leaves alone, 1 makes the tiles anew as well, 2 has the log's own key and signs everything
  anew. Against 2 there are the rules of the trail, or a checkpoint that somebody kept (`since`).
- Whatever is done here is seen by the checker, or it is the checker that is wrong.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.check.honest import HOUSE, Leaf, Log, Members, Signer, entries_of, honest_log, note, root_of, tiles_of


@dataclass(frozen=True)
class Attempt:
    """What the checker is given, and which answers are right."""

    members: list[tuple[str, bytes]]
    keys: str
    since: bytes | None = None
    right: frozenset[int] = frozenset({1})


EITHER = frozenset({1, 2})


def _attempt(log: Log, members: Members, since: bytes | None = None, right: frozenset[int] = EITHER) -> Attempt:
    return Attempt(list(members.items()), log.keys(), since, right)


def _changed(chance: random.Random, log: Log, leaves: list[Leaf]) -> Attempt:
    """These leaves in place of the log's own, with the power that chance gives."""
    power, forged = chance.randrange(3), replace(log, leaves=tuple(leaves))
    since = log.checkpoint()
    if power == 2:
        return _attempt(log, forged.whole(), since, frozenset({1}))
    tiles = tiles_of((forged if power else log).hashes)
    return _attempt(log, {"checkpoint": since, **tiles, **entries_of(forged.data)})


def _leaves(log: Log) -> list[Leaf]:
    return copy.deepcopy(list(log.leaves))


def _renumber(leaves: list[Leaf]) -> list[Leaf]:
    """Make the numbers fit again, as a careful forger would."""
    seen: dict[str, int] = {}
    for index, leaf in enumerate(leaves):
        leaf["index"] = index
        if leaf["consultation"] is not None:
            leaf["cseq"] = seen.get(leaf["consultation"], 0)
            seen[leaf["consultation"]] = leaf["cseq"] + 1
    return leaves


def edit(chance: random.Random, log: Log) -> Attempt:
    """A leaf says something else."""
    leaves = _leaves(log)
    leaf = chance.choice(leaves)
    what = chance.randrange(4)
    if what == 0:
        leaf["actor"] = "somebody-else"
    elif what == 1:
        leaf["t_ms"] += 1
    elif what == 2:
        leaf["facts"]["note"] = "added"
    else:
        leaf["event"], leaf["category"] = "duty.other", "combination"
    return _changed(chance, log, leaves)


def delete(chance: random.Random, log: Log) -> Attempt:
    """A leaf is gone; the others are renumbered, or not."""
    leaves = _leaves(log)
    del leaves[chance.randrange(len(leaves))]
    return _changed(chance, log, _renumber(leaves) if chance.random() < 0.5 else leaves)


def insert(chance: random.Random, log: Log) -> Attempt:
    """A leaf that never was."""
    leaves = _leaves(log)
    at = chance.randrange(len(leaves))
    new = {**copy.deepcopy(leaves[at]), "actor": "forger", "event": "access.forged", "category": "system"}
    leaves.insert(at, new)
    return _changed(chance, log, _renumber(leaves) if chance.random() < 0.5 else leaves)


def swap(chance: random.Random, log: Log) -> Attempt:
    """Two leaves change places, with or without their numbers and times."""
    leaves = _leaves(log)
    one, other = chance.sample(range(len(leaves)), 2)
    leaves[one], leaves[other] = leaves[other], leaves[one]
    if chance.random() < 0.5:
        leaves[one]["actor"], leaves[other]["actor"] = "x", "y"  # two leaves alike would be no swap once renumbered
        leaves[one]["t_ms"], leaves[other]["t_ms"] = leaves[other]["t_ms"], leaves[one]["t_ms"]
        leaves = _renumber(leaves)
    return _changed(chance, log, leaves)


def truncate(chance: random.Random, log: Log) -> Attempt:
    """The end is gone: of the log, or of one member, or a member whole."""
    if chance.random() < 0.5:
        return _changed(chance, log, _leaves(log)[: chance.randrange(len(log.leaves))])
    members = log.whole()
    name = chance.choice(list(members))
    if chance.random() < 0.5:
        del members[name]
        return _attempt(log, members, right=frozenset({2}))
    members[name] = members[name][: chance.randrange(len(members[name]))]
    return _attempt(log, members, right=EITHER)


def rehash(chance: random.Random, log: Log) -> Attempt:
    """Everything anew, under the log's name, with a key that is not the log's."""
    leaves = _leaves(log)
    leaves[0]["actor"] = "forger"
    forged = replace(log, leaves=tuple(leaves), log=Signer(log.log.name, 1_000))
    members = forged.whole()
    if chance.random() < 0.5:
        return _attempt(log, members, right=frozenset({2}))
    text = members["checkpoint"].partition(b"\n\n")[0] + b"\n"  # ... and under the log's key id
    members["checkpoint"] = text + b"\n" + forged.log.line(text, log.log.id)
    return _attempt(log, members, right=frozenset({1}))


def fork(chance: random.Random, log: Log) -> Attempt:
    """The log's key signed two logs that begin alike."""
    leaves = _leaves(log)
    at = chance.randrange(len(leaves))
    leaves[at]["actor"] = "forger"
    since = log.checkpoint(chance.randint(at + 1, len(leaves)))
    return _attempt(log, replace(log, leaves=tuple(leaves)).whole(), since, frozenset({1}))


def rollback(chance: random.Random, log: Log) -> Attempt:
    """An honest, shorter copy, though a longer one was signed."""
    begun = max((leaf["index"] + 1 for leaf in log.leaves if leaf["event"] == "trail.recovered"), default=0)
    size = chance.randrange(min(begun, len(log.leaves) - 1), len(log.leaves))
    shorter = replace(log, leaves=log.leaves[:size])
    return _attempt(log, shorter.whole(), log.checkpoint(), frozenset({1}))


def key_swap(chance: random.Random, log: Log) -> Attempt:
    """The keys are others', or the witness signs in the log's place."""
    other = replace(log, log=Signer(log.log.name, 77), witness=Signer("else.example", 78, kind=4))
    if chance.random() < 0.5:
        return _attempt(other, log.whole(), right=frozenset({2}))
    text, _, lines = log.checkpoint().partition(b"\n\n")
    witness = lines.split(b"\n")[1]
    only = {**log.whole(), "checkpoint": text + b"\n\n" + witness + b"\n"}
    return _attempt(log, only, right=frozenset({2}))


def duplicate(chance: random.Random, log: Log) -> Attempt:
    """A leaf is there twice, and all of it is signed; or a member of the zip is."""
    members = list(log.whole().items())
    if chance.random() < 0.5:
        name, data = chance.choice(members)
        members.insert(chance.randrange(len(members) + 1), (name, data if chance.random() < 0.5 else data[::-1]))
        return Attempt(members, log.keys())
    leaves = _leaves(log)
    at = chance.randrange(len(leaves))
    leaves.insert(at, copy.deepcopy(leaves[at]))
    return _attempt(log, replace(log, leaves=tuple(leaves)).whole(), right=frozenset({1}))


def time(chance: random.Random, log: Log) -> Attempt:
    """A leaf is from before the one that precedes it, and all of it is signed."""
    leaves = _leaves(log)
    at = chance.randrange(1, len(leaves))
    leaves[at]["t_ms"] = leaves[at - 1]["t_ms"] - chance.choice((1, 1_000, leaves[at - 1]["t_ms"] + 1))
    return _attempt(log, replace(log, leaves=tuple(leaves)).whole(), right=frozenset({1}))


def origin(chance: random.Random, log: Log) -> Attempt:
    """The checkpoint is another log's, or of another epoch, by its name."""
    members = log.whole()
    name = chance.choice((f"other.example/{log.epoch}", f"{HOUSE}/{log.epoch + 1}", HOUSE, f"{log.log.name} ", ""))
    if chance.random() < 0.5:
        _, _, rest = members["checkpoint"].partition(b"\n")
        members["checkpoint"] = name.encode() + b"\n" + rest
        return _attempt(log, members, right=frozenset({1}))
    members["checkpoint"] = note(name, len(log.leaves), root_of(log.hashes), [log.log])
    if name.count("/") == 1 and not name.endswith(" ") and chance.random() < 0.5:  # with a key of that very name
        renamed = replace(log, log=Signer(name, 1))
        members["checkpoint"] = renamed.checkpoint()
        since = None if name.startswith(HOUSE) else log.checkpoint()
        return Attempt(list(members.items()), log.keys() + renamed.keys(), since)
    return _attempt(log, members, right=frozenset({1}))


KINDS: dict[str, Callable[[random.Random, Log], Attempt]] = {
    one.__name__: one
    for one in (edit, delete, insert, swap, truncate, rehash, fork, rollback, key_swap, duplicate, time, origin)
}


def attempt(kind: str, seed: int) -> Attempt:
    """One tampering of this kind with a log of its own."""
    chance = random.Random(f"{kind} {seed}")
    log = honest_log(chance.randrange(2**32))
    while len(log.leaves) < 2:
        log = honest_log(chance.randrange(2**32))
    return KINDS[kind](chance, log)
