"""The independent checker: whatever is tampered with is seen, what is honest passes, and nothing makes it stumble.

With `LANYARD_PROVE=full` (`make prove`) 5,000 tampered and 5,000 honest logs; some hundreds otherwise.
"""

from __future__ import annotations

import ast
import base64
import copy
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_LZMA, ZipFile

import pytest

from audit import check as checker
from conversations.states import MOVES
from tests.check.honest import (
    HOUSE,
    Leaf,
    Log,
    Members,
    Signer,
    entries_of,
    honest_log,
    leaf_hash,
    note,
    root_of,
    tiles_of,
    write_zip,
)
from tests.check.tampering import KINDS, attempt

FULL = os.environ.get("LANYARD_PROVE") == "full"
SHARDS = 4
HONEST = 1_250 if FULL else 60  # a shard
TAMPERED = 417 if FULL else 20  # a kind: twelve times that

Answer = tuple[int, str]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Put a bundle to the command as anybody would; gives exit code and what it printed."""

    def asking(
        members: Members | Iterable[tuple[str, bytes]],
        keys: str,
        *more: str,
        since: bytes | None = None,
        quorum: int = 1,
    ) -> Answer:
        rows = members.items() if isinstance(members, dict) else members
        bundle = write_zip(tmp_path / "bundle.zip", rows)
        (tmp_path / "keys").write_text(keys)
        arguments = [str(bundle), "--key", str(tmp_path / "keys"), "--witnesses", str(quorum), *more]
        if since is not None:
            (tmp_path / "since").write_bytes(since)
            arguments += ["--since", str(tmp_path / "since")]
        code = checker.main(arguments)
        return code, capsys.readouterr().out

    return asking


def signed(log: Log, leaves: Iterable[bytes]) -> Members:
    """Any bytes as leaves, with everything else as it should be: the log's own key signs them."""
    data = list(leaves)
    hashes = [leaf_hash(leaf) for leaf in data]
    checkpoint = note(log.log.name, len(data), root_of(hashes), [log.log, log.witness])
    return {"checkpoint": checkpoint, **tiles_of(hashes), **entries_of(data)}


def with_leaves(log: Log, change: Callable[[list[Leaf]], object]) -> Members:
    """The log with its leaves changed, all of it signed anew with its own key."""
    leaves = copy.deepcopy(list(log.leaves))
    change(leaves)
    return replace(log, leaves=tuple(leaves)).whole()


def leaf(index: int, event: str = "duty.began", category: str = "system", **more: Any) -> Leaf:
    """A leaf made by hand."""
    facts: Leaf = {}
    told = {"actor": "line", "consultation": None, "cseq": None, "facts": facts, "t_ms": 5, "v": 1}
    return {**told, "index": index, "event": event, "category": category, **more}


def case(index: int, cseq: int, event: str, category: str, **facts: Any) -> Leaf:
    """A leaf of the consultation `c`."""
    return leaf(index, event, category, consultation="c", cseq=cseq, facts=facts)


def moved(index: int, cseq: int, trigger: str, before: str, after: str) -> Leaf:
    return case(index, cseq, "consultation.moved", "alteration", trigger=trigger, **{"from": before, "to": after})


def by_hand(*leaves: Leaf, epoch: int = 1) -> Log:
    return Log(tuple(leaves), epoch=epoch, log=Signer(f"{HOUSE}/{epoch}", 1))


# --- the campaign ----------------------------------------------------------------------------------


@pytest.mark.prove
@pytest.mark.timeout(7200 if FULL else 120)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_tampered_log_is_caught(kind: str, ask: Callable[..., Answer]) -> None:
    for seed in range(TAMPERED):
        tried = attempt(kind, seed)
        code, told = ask(tried.members, tried.keys, since=tried.since)
        assert code in tried.right, f"{kind} {seed}: {code}\n{told}"


@pytest.mark.prove
@pytest.mark.timeout(7200 if FULL else 120)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_honest_log_passes(shard: int, ask: Callable[..., Answer]) -> None:
    for seed in range(shard * HONEST, (shard + 1) * HONEST):
        log = honest_log(seed)
        begun = max((one["index"] + 1 for one in log.leaves if one["event"] == "trail.recovered"), default=0)
        chance = random.Random(seed)
        since = log.checkpoint(chance.randint(begun, len(log.leaves)))
        code, told = ask(log.whole(), log.keys(), since=since)
        assert code == 0, f"{seed}\n{told}"
        some = chance.sample(log.consultations(), min(len(log.consultations()), 2))
        if some:
            code, told = ask(log.some(some), log.keys())
            assert code == 0, f"{seed}, {some}\n{told}"


def test_it_says_what_it_checked(ask: Callable[..., Answer]) -> None:
    log = honest_log(3, 300)
    root = base64.b64encode(root_of(log.hashes)).decode()
    code, told = ask(log.whole(), log.keys())
    assert code == 0
    assert told == (
        f"Checked {log.log.name}, 300 leaves, root {root}, 1 witnesses: "
        f"300 leaves here, {len(log.consultations())} consultations, 0 wordings: good.\n"
    )


def test_the_tree_alone_is_checked_without_reading_a_leaf_and_says_so(ask: Callable[..., Answer]) -> None:
    log = honest_log(3, 600)
    code, told = ask(log.whole(), log.keys(), "--tree-only", since=log.checkpoint(300))
    assert (code, told.endswith("600 leaves here, hashed and not read: good.\n")) == (0, True), told
    unlawful = by_hand(moved(0, 0, "advise", "seeking", "advised"))  # signed as it is, against the rules
    assert [ask(unlawful.whole(), unlawful.keys(), *more)[0] for more in ([], ["--tree-only"])] == [1, 0]
    for kind in ("fork", "rehash", "truncate", "key_swap"):
        tried = attempt(kind, 1)
        assert ask(tried.members, tried.keys, "--tree-only", since=tried.since)[0] in tried.right, kind
    some = ask(log.some(log.consultations()[:1]), log.keys(), "--tree-only")[1]
    assert "not read" not in some, "a bundle of consultations has no tree to be checked alone"


def test_what_only_the_leaves_could_tell_of_an_earlier_epoch_is_incomplete_unread(ask: Callable[..., Answer]) -> None:
    first, second = recovered(5, 9)
    keys = first.keys() + second.keys()
    assert ask(second.whole(), keys, "--tree-only", since=first.checkpoint(3))[0] == 2


def test_the_empty_log_is_a_log(ask: Callable[..., Answer]) -> None:
    log = by_hand()
    assert ask(log.whole(), log.keys(), since=log.checkpoint())[0] == 0


# --- the rules of the trail: all of these are signed with the log's own key ------------------------


def test_the_table_of_moves_is_that_of_the_line() -> None:
    theirs = {(trigger.value, one.value, to.value) for trigger, sources, to in MOVES for one in sources}
    assert theirs == checker.LEGAL


COMMITTED: Leaf = {"message": 1, "version": 1, "commitment": "a" * 64, "sealed": "b" * 64}
FIRST = ("message.received", "collection")
RECOVERED: Leaf = {"epoch": 2, "lost_from": 0, "lost_to": 9, "reference": "INC"}
BROKEN: dict[str, tuple[Leaf, ...]] = {
    "an index is missing": (leaf(0), leaf(2)),
    "an index is no number": (leaf(0), leaf(True)),
    "time runs backwards": (leaf(0), leaf(1, t_ms=4)),
    "time is negative": (leaf(0, t_ms=-1),),
    "time is text": (leaf(0, t_ms="5"),),
    "another version": (leaf(0, v=2),),
    "version true": (leaf(0, v=True),),
    "a member too many": (leaf(0, extra=1),),
    "a member too few": ({key: value for key, value in leaf(0).items() if key != "actor"},),
    "no such category": (leaf(0, category="gossip"),),
    "an event in two categories": (leaf(0), leaf(1, category="erasure")),
    "a move in another category": (case(0, 0, "consultation.moved", "system", trigger="keep"),),
    "an event without a dot": (leaf(0, "moved"),),
    "an event that is a list": (leaf(0, ["duty.began"]),),  # type: ignore[arg-type] # it is the point
    "an actor that is words": (leaf(0, actor="Jane of the line"),),
    "facts that are a list": (leaf(0, facts=[]),),
    "a fact that is an object": (leaf(0, facts={"deep": {}}),),
    "a fact that is a fraction": (leaf(0, facts={"half": 0.5}),),
    "a fact that no number holds": (leaf(0, facts={"much": 2**53 - 1 + 1}),),
    "a fact of an odd name": (leaf(0, facts={"Full name": 1}),),
    "cseq begins at one": (case(0, 1, "words.read", "consultation"),),
    "cseq has a gap": (case(0, 0, "words.read", "consultation"), case(1, 2, "words.read", "consultation")),
    "cseq comes twice": (case(0, 0, "words.read", "consultation"), case(1, 0, "words.read", "consultation")),
    "cseq is true": (case(0, False, "words.read", "consultation"),),
    "cseq without a consultation": (leaf(0, cseq=0),),
    "a consultation without cseq": (leaf(0, consultation="c"),),
    "a consultation that is words": (leaf(0, consultation="the one", cseq=0),),
    "a move of no consultation": (leaf(0, "consultation.moved", "alteration"),),
    "no such move": (moved(0, 0, "accept", "seeking", "talking"),),
    "a move from where it is not": (moved(0, 0, "offer", "seeking", "offered"), moved(1, 1, "keep", "seeking", "kept")),
    "a beginning in the middle": (moved(0, 0, "accept", "offered", "talking"),),
    "a move that says nothing": (case(0, 0, "consultation.moved", "alteration"),),
    "words read after erasure": (
        case(0, 0, "consultation.erased", "erasure"),
        case(1, 1, "words.read", "consultation"),
    ),
    "a message after erasure": (
        case(0, 0, "consultation.erased", "erasure"),
        case(1, 1, "message.received", "collection"),
    ),
    "a commitment that is none": (case(0, 0, *FIRST, **{**COMMITTED, "commitment": "A" * 64}),),
    "a seal that is none": (case(0, 0, *FIRST, **{**COMMITTED, "sealed": 7}),),
    "a commitment to message nought": (case(0, 0, *FIRST, **{**COMMITTED, "message": 0}),),
    "a commitment to no version": (case(0, 0, *FIRST, **{**COMMITTED, "version": "1"}),),
    "a commitment to version nought": (case(0, 0, *FIRST, **{**COMMITTED, "version": 0}),),
    "a commitment that is a number": (case(0, 0, *FIRST, **{**COMMITTED, "commitment": 7}),),
    "a seal in capitals": (case(0, 0, *FIRST, **{**COMMITTED, "sealed": "B" * 64}),),
    "a category that is a list": ({**leaf(0), "category": ["system"]},),
    "time beyond all numbers": (leaf(0, t_ms=2**53),),
    "a fact below all numbers": (leaf(0, facts={"much": -(2**53)}),),
    "an actor that is a number": (leaf(0, actor=5),),
    "a consultation that is a number": (leaf(0, consultation=5, cseq=0),),
    "an erasure of no consultation": (leaf(0, "consultation.erased", "erasure"),),
    "an epoch ends with text": (leaf(0, "trail.recovered", "system", facts={**RECOVERED, "lost_to": "9"}),),
    "an epoch is text": (leaf(0, "trail.recovered", "system", facts={**RECOVERED, "epoch": "2"}),),
    "a commitment to no message": (case(0, 0, *FIRST, **{**COMMITTED, "message": None}),),
    "an epoch begins unsaid": (leaf(0, "trail.recovered", "system", facts={**RECOVERED, "lost_from": 1}),),
    "an epoch is passed over": (leaf(0, "trail.recovered", "system", facts={**RECOVERED, "epoch": 3}),),
    "an epoch began over nothing": (leaf(0, "trail.recovered", "system", facts={**RECOVERED, "lost_to": 0}),),
    "an epoch without reference": (leaf(0, "trail.recovered", "system", facts={**RECOVERED, "reference": ""}),),
    "an epoch of a consultation": (case(0, 0, "trail.recovered", "system", **RECOVERED),),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_signature_excuses_no_breach_of_a_rule(rule: str, ask: Callable[..., Answer]) -> None:
    log = by_hand(*BROKEN[rule], epoch=2 if "an epoch" in rule and "of a" not in rule else 1)
    data = [json.dumps(one, sort_keys=True, separators=(",", ":")).encode() for one in log.leaves]
    code, told = ask(signed(log, data), log.keys())
    assert code == 1, told
    assert f"TAMPERED: leaf {len(data) - 1}: " in told


def test_what_was_erased_may_still_be_moved_and_looked_up(ask: Callable[..., Answer]) -> None:
    log = by_hand(case(0, 0, "consultation.erased", "erasure"), case(1, 1, "access.looked_up", "system"))
    assert ask(log.whole(), log.keys())[0] == 0


def test_another_epoch_than_the_leaves_say_is_seen(ask: Callable[..., Answer]) -> None:
    log = by_hand(leaf(0), epoch=2)
    code, told = ask(log.whole(), log.keys())
    assert (code, "the leaves are of epoch 1" in told) == (1, True)


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "a space": lambda data: data.replace(b":", b": ", 1),
    "another order": lambda data: json.dumps(dict(reversed(json.loads(data).items())), separators=(",", ":")).encode(),
    "a name twice": lambda data: data.replace(b"{", b'{"actor":"line",', 1),
    "an escape that need not be": lambda data: data.replace(b"line", rb"\u006cine"),
    "an exponent": lambda data: data.replace(b'"t_ms":5', b'"t_ms":5e0'),
    "minus nought": lambda data: data.replace(b'"index":0', b'"index":-0'),
    "NaN": lambda data: data.replace(b'"t_ms":5', b'"t_ms":NaN'),
    "a byte after it": lambda data: data + b"\n",
    "not UTF-8": lambda data: data.replace(b"line", b"l\xefne"),
    "half a character": lambda data: data.replace(b"line", rb"\ud83d"),
    "no JSON": lambda data: b"hello",
    "nothing": lambda data: b"",
    "a number": lambda data: b"1",
    "deep brackets": lambda data: b"[" * 60_000,
    "deep facts": lambda data: data.replace(b"{}", b'{"a":' * 990 + b"1" + b"}" * 990),
    "a number of 5,000 digits": lambda data: data.replace(b'"t_ms":5', b'"t_ms":' + b"5" * 5_000),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_leaf_in_another_form_than_its_one_is_tampered(form: str, ask: Callable[..., Answer]) -> None:
    log = by_hand(leaf(0))
    changed = FORMS[form](log.data[0])
    assert changed != log.data[0]
    code, told = ask(signed(log, [changed]), log.keys())
    assert (code, "leaf 0: " in told) == (1, True), told


def test_two_leaves_that_are_json_only_together_are_tampered(ask: Callable[..., Answer]) -> None:
    log = by_hand(leaf(0, facts={"a": 1, "b": 2}), leaf(1))
    whole, other = log.data
    cut = whole.index(b',"b"')
    for leaves in ([whole[:cut], whole[cut + 1 :]], [whole[:cut], whole[cut + 1 :] + b"," + other]):
        code, told = ask(signed(log, leaves), log.keys())
        assert (code, "leaf 0: it is not canonical JSON" in told) == (1, True), told


def test_many_findings_are_counted(ask: Callable[..., Answer]) -> None:
    log = by_hand(*(leaf(at, category="gossip") for at in range(300)))
    code, told = ask(log.whole(), log.keys())
    assert (code, told.count("\n")) == (1, 52)
    assert "and 250 more like these" in told


# --- earlier checkpoints, epochs, keys, witnesses --------------------------------------------------


def recovered(start: int, stop: int) -> tuple[Log, Log]:
    """A log as it was, and as it goes on in epoch 2 over an older copy of `start` leaves."""
    first = by_hand(*(leaf(at) for at in range(stop)))
    facts = {"epoch": 2, "lost_from": start, "lost_to": stop, "reference": "INC-1"}
    begun = leaf(start, "trail.recovered", "system", facts=facts)
    return first, by_hand(*first.leaves[:start], begun, *(leaf(at) for at in range(start + 1, stop + 4)), epoch=2)


def test_a_lost_end_that_was_owned_up_to_is_no_rollback(ask: Callable[..., Answer]) -> None:
    first, second = recovered(5, 9)
    keys = first.keys() + second.keys()
    for size in range(10):
        code, told = ask(second.whole(), keys, since=first.checkpoint(size))
        assert code == 0, told


def test_a_lost_end_that_was_owned_up_to_in_part_is_one(ask: Callable[..., Answer]) -> None:
    first, second = recovered(5, 9)
    longer = by_hand(*(leaf(at) for at in range(12)))
    code, told = ask(second.whole(), first.keys() + second.keys(), since=longer.checkpoint())
    assert (code, "leaves 9 to 11 of the earlier checkpoint are lost, unsaid" in told) == (1, True), told
    assert ask(first.whole(), first.keys() + second.keys(), since=second.checkpoint())[0] == 1


def test_an_earlier_checkpoint_of_another_log_or_a_later_epoch_does_not_do(ask: Callable[..., Answer]) -> None:
    first, second = recovered(5, 9)
    other = replace(first, log=Signer("other.example/1", 1))
    for since in (other.checkpoint(), second.checkpoint(3)):
        code, told = ask(first.whole(), first.keys() + second.keys() + other.keys(), since=since)
        assert (code, "the earlier checkpoint is of" in told) == (1, True), told


def test_what_came_before_the_lost_end_may_not_differ(ask: Callable[..., Answer]) -> None:
    first, second = recovered(5, 9)
    other = by_hand(leaf(0, actor="other"), *first.leaves[1:])
    assert ask(second.whole(), first.keys() + second.keys(), since=other.checkpoint(5))[0] == 1


def test_an_earlier_checkpoint_is_held_against_a_bundle_of_consultations_as_far_as_can_be(
    ask: Callable[..., Answer],
) -> None:
    log = honest_log(11, 90)
    one = log.consultations()[:1]
    assert ask(log.some(one), log.keys(), since=log.checkpoint())[0] == 0
    assert ask(log.some(one), log.keys(), since=log.checkpoint(40))[0] == 2
    assert ask(replace(log, leaves=log.leaves[:80]).some(one), log.keys(), since=log.checkpoint())[0] == 1


def test_witnesses_are_counted_once_each_and_by_their_key(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    other, twin = Signer("other.example/w", 9, kind=4), Signer("twin.example/w", 2, kind=4)
    hashes = log.hashes
    for signers, keys, quorum, right in (
        ([log.log, log.witness, other], [log.witness, other], 2, 0),
        ([log.log, log.witness, other], [log.witness], 2, 2),
        ([log.log, log.witness, log.witness], [log.witness], 2, 2),
        ([log.log, log.witness, twin], [log.witness, twin], 2, 2),
        ([log.log], [log.witness], 0, 0),
        ([log.log], [log.witness], 1, 2),
        ([log.witness], [log.witness], 0, 2),
    ):
        checkpoint = note(log.log.name, 20, root_of(hashes), signers)
        lines = "\n".join(one.key() for one in [log.log, *keys])
        assert ask({**log.whole(), "checkpoint": checkpoint}, lines, quorum=quorum)[0] == right


def test_a_cosignature_that_is_not_genuine_is_tampering(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    forger = Signer(log.witness.name, 99, kind=4)
    text, _, _ = log.checkpoint().partition(b"\n\n")
    lines = log.log.line(text + b"\n") + forger.line(text + b"\n", log.witness.id)
    code, told = ask({**log.whole(), "checkpoint": text + b"\n\n" + lines}, log.keys(), quorum=0)
    assert (code, "is not genuine" in told) == (1, True)


def test_another_logs_genuine_signature_does_not_do(ask: Callable[..., Answer]) -> None:
    log, other = honest_log(4, 20), Signer("other.example/1", 50)
    checkpoint = note(log.log.name, 20, root_of(log.hashes), [other])
    code, told = ask({**log.whole(), "checkpoint": checkpoint}, log.keys() + other.key(), quorum=0)
    assert (code, "is signed by 'other.example/1'" in told) == (1, True)


TEXTS: dict[str, Callable[[str], str]] = {
    "an extension line": lambda text: f"{text}more\n",
    "an empty line in it": lambda text: text.replace("\n", "\n\n", 1),
    "two lines": lambda text: text.rpartition("\n")[0].rpartition("\n")[0] + "\n",
    "a size with a nought before it": lambda text: text.replace("\n20", "\n020"),
    "a size with a sign": lambda text: text.replace("\n20", "\n+20"),
    "a size in other digits": lambda text: text.replace("\n20", "\n\u0662\u0660"),
    "a size of many digits": lambda text: text.replace("\n20", "\n" + "2" * 5_000),
    "a root without padding": lambda text: text.replace("=", ""),
    "a root that is longer": lambda text: text.replace("=\n", base64.b64encode(b"more").decode() + "\n"),
    "a root that is none": lambda text: "\n".join([*text.split("\n")[:2], "", ""]),
    "a tab": lambda text: text.replace("\n20", "\n20\t"),
    "a bell": lambda text: text.replace("lan", "l\an"),
    "no epoch": lambda text: text.replace("/1\n", "\n"),
    "epoch nought": lambda text: text.replace("/1\n", "/0\n"),
    "a space in the origin": lambda text: text.replace("lan", "l n"),
}
NOTES: dict[str, Callable[[bytes], bytes]] = {
    "carriage returns": lambda text: text.replace(b"\n", b"\r\n"),
    "no end of line": lambda text: text[:-1],
    "an empty line at the end": lambda text: text + b"\n",
    "words after it": lambda text: text + b"words\n",
    "half a line after it": lambda text: text + b"words",
    "a hyphen for the dash": lambda text: text.replace("—".encode(), b"-"),
    "a name with plus": lambda text: text + "— l+n AAAAAAAA\n".encode(),
    "a name with a space": lambda text: text + "— l n AAAAAAAA\n".encode(),
    "a tab in a name": lambda text: text + "— l\tn AAAAAAAA\n".encode(),
    "a signature with bits to spare": lambda text: text + "— lan AAAAAAB=\n".encode(),
    "a bell in a name": lambda text: text + "— l\an AAAAAAAA\n".encode(),
    "a signature that is too short": lambda text: text + "— lan AA==\n".encode(),
    "a signature without padding": lambda text: text + "— lan AAAAAAA\n".encode(),
    "no signature": lambda text: text.partition(b"\n\n")[0] + b"\n\n",
    "nothing": lambda text: b"",
    "other bytes": lambda text: b"\xff\xfe",
    "bytes that are no text": lambda text: text + "— ".encode() + b"\xff AAAAAAAA\n",
    "a hundred signatures": lambda text: text + text.rpartition(b"\n\n")[2] * 40,
}


@pytest.mark.parametrize("form", TEXTS)
def test_a_checkpoint_has_one_form_whoever_signs_it(form: str, ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    text = log.checkpoint().partition(b"\n\n")[0].decode() + "\n"
    forged = TEXTS[form](text)
    assert forged != text
    lines = b"".join(one.line(forged.encode()) for one in (log.log, log.witness))
    code, told = ask({**log.whole(), "checkpoint": forged.encode() + b"\n" + lines}, log.keys())
    assert (code, told.count("TAMPERED: the checkpoint")) == (1, 1), told
    assert "form" in told or "three lines" in told


@pytest.mark.parametrize("form", NOTES)
def test_a_signed_note_has_one_form(form: str, ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    forged = NOTES[form](log.checkpoint())
    assert forged != log.checkpoint()
    code, told = ask({**log.whole(), "checkpoint": forged}, log.keys())
    assert code == 1, told
    assert "form" in told or "three lines" in told or "UTF-8" in told


def bad_keys(log: Log) -> dict[str, str]:
    """Lines that are no verifier keys; one of them, beside a good one, spoils the file."""
    key = log.log.key()
    name, number, public = key.split("+", 2)
    raw = base64.b64decode(public)

    def vouched(raw: bytes) -> str:  # with a key id that fits
        found = sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
        return f"{name}+{found}+{base64.b64encode(raw).decode()}"

    return {
        "another id": f"{name}+{'0' * 8}+{public}",
        "an id in capitals": f"{name}+{number.upper()}+{public}",
        "another kind": vouched(b"\x02" + raw[1:]),
        "too short": vouched(raw[:-1]),
        "too long": vouched(raw + b"\0"),
        "nothing after the id": f"{name}+{number}+",
        "base64 that is none": f"{name}+{number}+***",
        "a name alone": name,
    }


def test_one_bad_key_spoils_the_file(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    for what, line in bad_keys(log).items():
        code, told = ask(log.whole(), f"{log.keys()}{line}\n")
        assert (code, "this is not a verifier key" in told) == (3, True), what


# --- bundles of consultations ----------------------------------------------------------------------


@pytest.fixture
def log() -> Log:
    """One whose first consultation has words and is not erased."""
    found = (honest_log(seed, 120) for seed in range(1_000))
    return next(one for one in found if "words.json" in one.some(one.consultations()[:1]))


def changed(members: Members, name: str, change: Callable[[Any], object]) -> Members:
    """A JSON member with something changed in it."""
    told = json.loads(members[name])
    change(told)
    return {**members, name: json.dumps(told).encode()}


PROOFS: dict[str, tuple[int, Callable[[Any], object]]] = {
    "a leaf is left out": (2, lambda told: told["leaves"].pop(1)),
    "the first leaf is left out": (2, lambda told: told["leaves"].pop(0)),
    "all leaves are left out": (2, lambda told: told["leaves"].clear()),
    "a leaf without proof": (2, lambda told: told["leaves"][0].pop("proof")),
    "an empty proof": (1, lambda told: told["leaves"][0]["proof"].clear()),
    "a proof that is too long": (1, lambda told: told["leaves"][0]["proof"].append(told["leaves"][0]["proof"][0])),
    "a proof that is too short": (1, lambda told: told["leaves"][0]["proof"].pop()),
    "another leaf's proof": (1, lambda told: told["leaves"][0].update(proof=told["leaves"][-1]["proof"])),
    "another index": (1, lambda told: told["leaves"][-1].update(index=told["leaves"][-1]["index"] - 1)),
    "an index outside": (1, lambda told: told["leaves"][-1].update(index=10**9)),
    "an index that is no number": (1, lambda told: told["leaves"][0].update(index=None)),
    "another order": (1, lambda told: told["leaves"].reverse()),
    "a leaf twice": (1, lambda told: told["leaves"].insert(0, told["leaves"][0])),
    "base64 that is none": (1, lambda told: told["leaves"][0].update(leaf="*")),
    "a consultation that is not there": (2, lambda told: told["consultations"].append("no-such")),
    "a foreign leaf": (1, lambda told: told.update(consultations=["another"])),
    "nobody named": (1, lambda told: told.update(consultations=[])),
    "somebody named twice": (1, lambda told: told["consultations"].append(told["consultations"][0])),
    "names that are none": (1, lambda told: told.update(consultations=[{}])),
    "another version": (1, lambda told: told.update(v=2)),
    "a member too many": (1, lambda told: told.update(more=[])),
    "leaves that are no list": (1, lambda told: told.update(leaves={})),
    "a leaf that is none": (1, lambda told: told["leaves"].append(5)),
    "a leaf that says more": (1, lambda told: told["leaves"][0].update(more=1)),
    "a leaf that says less": (1, lambda told: told["leaves"][0].pop("index")),
    "an index below nought": (1, lambda told: told["leaves"][0].update(index=-1)),
    "a proof of numbers": (1, lambda told: told["leaves"][0].update(proof=[5])),
    "a proof that is no list": (1, lambda told: told["leaves"][0].update(proof="AAAA")),
    "a proof of short hashes": (1, lambda told: told["leaves"][0].update(proof=["AAAA"])),
    "a proof that is no base64": (1, lambda told: told["leaves"][0].update(proof=["*"])),
}


@pytest.mark.parametrize("how", PROOFS)
def test_a_bundle_of_consultations_stands_on_its_proofs(how: str, log: Log, ask: Callable[..., Answer]) -> None:
    right, change = PROOFS[how]
    members = log.some(log.consultations()[:1], words=False)
    assert ask(members, log.keys())[0] == 0
    code, told = ask(changed(members, "proofs.json", change), log.keys())
    assert code == right, told


def test_json_members_name_nothing_twice_and_are_objects(log: Log, ask: Callable[..., Answer]) -> None:
    members = log.some(log.consultations()[:1])
    for name in ("proofs.json", "words.json"):
        for forged in (b'{"v":1,' + members[name][1:], b"[" + members[name] + b"]", b"{", b"\xff", b"[" * 10**6):
            code, told = ask({**members, name: forged}, log.keys())
            assert (code, f"{name} is not" in told) == (1, True), told


def test_a_proven_leaf_that_is_not_canonical_is_seen(ask: Callable[..., Answer]) -> None:
    log = by_hand(case(0, 0, "words.read", "consultation"))
    words = {"consultation": "c", "number": 1, "version": 1, "words": "", "salt": "A" * 43 + "=", "leaf": 0}
    shown = json.dumps({"v": 1, "messages": [words]}).encode()
    for raw in (json.dumps(log.leaves[0]).encode(), b"hello"):
        row = {"leaf": base64.b64encode(raw).decode(), "index": 0, "proof": []}
        proofs = json.dumps({"v": 1, "consultations": ["c"], "leaves": [row]}).encode()
        checkpoint = note(log.log.name, 1, leaf_hash(raw), [log.log, log.witness])
        for more in ({}, {"words.json": shown}):
            code, told = ask({"checkpoint": checkpoint, "proofs.json": proofs, **more}, log.keys())
            assert (code, "leaf 0: it is not canonical JSON" in told) == (1, True), told


def test_leaves_of_two_consultations_stand_in_the_order_of_the_log(ask: Callable[..., Answer]) -> None:
    other = {**case(1, 0, "words.read", "consultation"), "consultation": "d"}
    log = by_hand(case(0, 0, "words.read", "consultation"), other)
    members = changed(log.some(["c", "d"]), "proofs.json", lambda told: told["leaves"].reverse())
    code, told = ask(members, log.keys())
    assert (code, "not in order of index" in told) == (1, True), told


def test_leaves_and_tiles_that_agree_still_have_to_make_the_root(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    forged = by_hand(*({**one, "actor": "forger"} for one in log.leaves))
    code, told = ask({**forged.whole(), "checkpoint": log.checkpoint()}, log.keys())
    assert (code, "do not make the root that was signed" in told) == (1, True), told


WORDING: dict[str, tuple[int, Callable[[Any], object]]] = {
    "wrong words": (1, lambda told: told["messages"][0].update(words="something else")),
    "wrong salt": (1, lambda told: told["messages"][0].update(salt=base64.b64encode(bytes(32)).decode())),
    "a salt with noughts after it": (
        1,
        lambda told: told["messages"][0].update(
            salt=base64.b64encode(base64.b64decode(told["messages"][0]["salt"]) + b"\0").decode()
        ),
    ),
    "another number": (1, lambda told: told["messages"][0].update(number=77)),
    "a number that is true": (1, lambda told: told["messages"][0].update(version=True)),
    "another consultation": (1, lambda told: told["messages"][0].update(consultation="c")),
    "a consultation that is a list": (1, lambda told: told["messages"][0].update(consultation=[])),
    "a leaf that is not there": (2, lambda told: told["messages"][0].update(leaf=10**6)),
    "a leaf without commitment": (1, lambda told: told["messages"][0].update(leaf=-1)),
    "words twice": (1, lambda told: told["messages"].append(told["messages"][0])),
    "words that are none": (1, lambda told: told["messages"][0].update(words=None)),
    "a message that says less": (1, lambda told: told["messages"][0].pop("salt")),
    "a message that says more": (1, lambda told: told["messages"][0].update(more=1)),
    "a salt that is none": (1, lambda told: told["messages"][0].update(salt=None)),
    "a salt that is no base64": (1, lambda told: told["messages"][0].update(salt="*")),
    "a leaf that is a list": (1, lambda told: told["messages"][0].update(leaf=[])),
    "no message": (1, lambda told: told["messages"].append(None)),
    "no list": (1, lambda told: told.update(messages=5)),
    "another version": (1, lambda told: told.update(v=True)),
}


@pytest.mark.parametrize("how", WORDING)
def test_words_are_those_that_were_committed_to(how: str, log: Log, ask: Callable[..., Answer]) -> None:
    right, change = WORDING[how]
    members = log.some(log.consultations()[:1])
    code, told = ask(members, log.keys())
    assert (code, f"{len(json.loads(members['words.json'])['messages'])} wordings: good" in told) == (0, True)
    forged = changed(members, "words.json", change)
    if how == "a leaf without commitment":
        plain = next(
            one["index"]
            for one in log.leaves
            if one["consultation"] == log.consultations()[0] and "commitment" not in one["facts"]
        )
        forged = changed(members, "words.json", lambda at: at["messages"][0].update(leaf=plain))
    code, told = ask(forged, log.keys())
    assert code == right, told


def test_words_of_an_erased_consultation_are_seen(log: Log, ask: Callable[..., Answer]) -> None:
    first = log.consultations()[0]
    within = sum(one["consultation"] == first for one in log.leaves)
    last = leaf(len(log.leaves), "consultation.erased", "erasure", consultation=first, cseq=within)
    after = replace(log, leaves=(*log.leaves, {**last, "t_ms": log.leaves[-1]["t_ms"]}))
    code, told = ask({**after.some([first]), "words.json": log.some([first])["words.json"]}, log.keys())
    assert (code, "their consultation was erased" in told) == (1, True), told


# --- hostile and broken files ----------------------------------------------------------------------


@pytest.mark.parametrize("which", ["whole", "some"])
def test_no_byte_of_a_bundle_can_change_unseen(which: str, ask: Callable[..., Answer]) -> None:
    log = next(one for seed in range(999) if "words.json" in (one := honest_log(seed, 6)).some(one.consultations()[:1]))
    members = log.whole() if which == "whole" else log.some(log.consultations()[:1])
    assert ask(members, log.keys())[0] == 0
    for name, data in members.items():
        for at in range(len(data)):
            flipped = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
            if name.endswith(".json") and _same_json(flipped, data):
                continue  # another spelling of the very same thing
            code, told = ask({**members, name: flipped}, log.keys())
            assert code in {1, 2}, f"{name} at {at}: {told}"


def _same_json(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def test_a_zip_that_was_damaged_never_passes_or_stumbles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = honest_log(5, 30)
    whole = write_zip(tmp_path / "whole.zip", log.whole().items()).read_bytes()
    (tmp_path / "keys").write_text(log.keys())
    chance = random.Random(1)
    damaged = [whole[: chance.randrange(len(whole))] for _ in range(100)]
    damaged += [whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :] for at in range(0, len(whole), 3)]
    damaged += [b"", b"PK", b"PK\x05\x06" + bytes(18), chance.randbytes(500), whole + whole, whole * 3]
    for data in damaged:
        (tmp_path / "bundle.zip").write_bytes(data)
        code = checker.main([str(tmp_path / "bundle.zip"), "--key", str(tmp_path / "keys")])
        told = capsys.readouterr().out
        assert code in {0, 1, 2}, told
        assert told.endswith(".\n")
        if data != whole and len(data) < len(whole):
            assert code == 2


@pytest.mark.parametrize(
    "name", ["../checkpoint", "/etc/passwd", "tile/", "tile/0/000.p/20.exe", "a\\b", "\x1b[2J", "README"]
)
def test_a_member_that_does_not_belong_is_a_finding(name: str, ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    code, told = ask({**log.whole(), name: b""}, log.keys())
    assert (code, "is no part of such a bundle" in told) == (1, True)
    assert "\x1b" not in told


def test_an_entry_bundle_holds_its_leaves_and_nothing_more(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    name = "tile/entries/000.p/20"
    data = log.whole()[name]
    for forged in (data + b"\0", data + b"\0\0", data + b"\0\1x", data[:-1], b"\xff\xff" + data, b""):
        code, told = ask({**log.whole(), name: forged}, log.keys())
        assert (code, "does not hold 20 whole leaves" in told) == (1, True), told


def test_tiles_are_compared_at_every_level(ask: Callable[..., Answer]) -> None:
    log = honest_log(6, 513)
    members = log.whole()
    assert sum(name.startswith("tile/") for name in members) == 7
    for name in [name for name in members if name.startswith("tile/") and "entries" not in name]:
        for forged in (members[name][:-1] + b"?", members[name] + bytes(32), members[name][32:]):
            code, told = ask({**members, name: forged}, log.keys())
            assert (code, name in told) == (1, True), told


def test_a_member_that_is_packed_oddly_is_not_unpacked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = honest_log(4, 20)
    (tmp_path / "keys").write_text(log.keys())
    bundle = tmp_path / "bundle.zip"
    with ZipFile(bundle, "w", ZIP_LZMA) as file:
        for name, data in log.whole().items():
            file.writestr(name, data)
    assert checker.main([str(bundle), "--key", str(tmp_path / "keys")]) == 1
    assert "oddly compressed" in capsys.readouterr().out
    raw = bytearray(write_zip(bundle, log.whole().items()).read_bytes())
    raw[raw.index(b"PK\1\2") + 8] |= 1  # "encrypted", in the zip's list
    bundle.write_bytes(raw)
    assert checker.main([str(bundle), "--key", str(tmp_path / "keys")]) == 1
    assert "encrypted" in capsys.readouterr().out
    raw = bytearray(write_zip(bundle, log.whole().items()).read_bytes())
    raw[raw.index(b"PK\1\2") + 24] += 1  # a byte more than there is, says the list
    bundle.write_bytes(raw)
    assert checker.main([str(bundle), "--key", str(tmp_path / "keys")]) == 1
    assert "is not as long as the zip says" in capsys.readouterr().out


def test_two_kinds_of_bundle_in_one_are_a_finding(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 40)
    assert ask({**log.whole(), **log.some(log.consultations()[:1])}, log.keys())[0] == 1
    some = log.some(log.consultations()[:1])
    del some["proofs.json"]
    assert ask(some, log.keys())[0] == 1 if "words.json" in some else 2


def test_a_bomb_is_not_unpacked(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    members = log.whole()
    for name in ("checkpoint", "tile/0/000.p/20", "tile/entries/000.p/20"):
        code, told = ask({**members, name: bytes(50_000_000)}, log.keys())
        assert (code, "larger than" in told) == (1, True), told
    some = log.some(log.consultations()[:1])
    code, told = ask({**some, "proofs.json": bytes(2**26 + 1)}, log.keys())
    assert (code, "larger than" in told) == (1, True)


def test_a_signed_size_beyond_all_reason_ends_at_once(ask: Callable[..., Answer]) -> None:
    log = honest_log(4, 20)
    checkpoint = note(log.log.name, 10**17, bytes(32), [log.log, log.witness])
    assert ask({**log.whole(), "checkpoint": checkpoint}, log.keys())[0] == 1


# --- the command, alone ----------------------------------------------------------------------------


def test_a_question_that_makes_no_sense_is_answered_with_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = honest_log(4, 20)
    bundle, keys = write_zip(tmp_path / "b.zip", log.whole().items()), tmp_path / "keys"
    keys.write_text(log.keys())
    (tmp_path / "none").write_text("# nothing\n")
    (tmp_path / "bad").write_text(log.log.key().replace("+A", "+B") + "\n")
    (tmp_path / "odd").write_bytes(b"\xff\xff")
    (tmp_path / "witness").write_text(log.witness.key())
    good = ["--key", str(keys)]
    for arguments in (
        [],
        [str(bundle)],
        [str(tmp_path / "no-such.zip"), *good],
        [str(tmp_path), *good],
        [str(bundle), "--key", str(tmp_path / "no-such")],
        *([str(bundle), "--key", str(tmp_path / one)] for one in ("none", "bad", "odd", "witness")),
        [str(bundle), *good, "--witnesses", "many"],
        [str(bundle), *good, "--since", str(tmp_path / "no-such")],
        [str(bundle), *good, "--since", str(tmp_path / "odd")],
        [str(bundle), *good, "--faster"],
        [str(bundle), "\0", *good],
        ["\0", *good],
    ):
        assert checker.main(arguments) == 3, arguments
        assert capsys.readouterr().out.startswith("USAGE: ")
    assert checker.main(["--help"]) == 0
    assert checker.main([str(bundle), *good]) == 0


def test_it_imports_the_standard_library_and_cryptography_only() -> None:
    tree = ast.parse(Path(checker.__file__).read_text())
    named = {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    named |= {alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names}
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names | {"cryptography"}


def test_it_runs_alone_in_another_folder(tmp_path: Path) -> None:
    shutil.copy(checker.__file__, tmp_path / "check.py")
    log = honest_log(7, 300)
    write_zip(tmp_path / "bundle.zip", log.whole().items())
    (tmp_path / "keys").write_text(log.keys())
    asked = [sys.executable, "-I", "check.py", "bundle.zip", "--key", "keys"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("good.\n")
    with (tmp_path / "bundle.zip").open("r+b") as file:
        file.truncate(500)
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
