"""Signed notes, checkpoints and cosignatures: their exact bytes, and nothing that is written otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit.notes import (
    BadSignature,
    Checkpoint,
    Malformed,
    NoteRefused,
    NotSigned,
    Verified,
    VerifierKey,
    cosign,
    cosigner_key,
    from_base64,
    log_key,
    only_known,
    private_key,
    sign_note,
    unverified_text,
    verify_note,
)
from audit.tree import Frontier, leaf_hash

ORIGIN = "lanyard.example/1"
KEY = private_key(bytes(range(32)))
LOG = log_key(ORIGIN, KEY)
PARTNER_KEY = private_key(bytes(range(32, 64)))
PARTNER = cosigner_key("partner.example/w1", PARTNER_KEY)


def checkpoint(size: int) -> Checkpoint:
    """That of a log of the leaves "0", "1" and so on."""
    return Checkpoint(ORIGIN, size, Frontier().extend(leaf_hash(str(index).encode()) for index in range(size)).root())


def note_of(size: int) -> bytes:
    return sign_note(checkpoint(size).text(), ORIGIN, KEY)


EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"  # C2SP signed-note's own
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
PINNED = (
    "lanyard.example/1\n3\ncl1SMNto9VdHDcNfHYhlgTrNfrsHrRUndBQd7LrnEyc=\n\n"
    "— lanyard.example/1 AepuI0czBzlGO/X7JjJ9PmjezUcvSb8XUP0uh6tjPTdkWXbK6bVQWeLxKiT0TTciWVXpUAlbqKs5AXC1hwVq1itXYAk=\n"
)
PINNED_LINE = (
    "— partner.example/w1 k5KTKAAAAABlU/EAXhGKTuUXPjZf41LM0WJ1g+s"
    "kn27nILD2Q7mrQoAOIPOHbgYTUOS93yGx+gfo05/M2YnwedHs5JfAgpYs4l++Bw==\n"
)
PINNED_KEY = "lanyard.example/1+01ea6e23+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
PINNED_COSIGNER = "partner.example/w1+93929328+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"


def test_the_specifications_example_verifies() -> None:
    key = VerifierKey.parse(EXAMPLE_KEY)
    assert key.format() == EXAMPLE_KEY
    assert verify_note(EXAMPLE.encode(), [key]) == Verified(
        "This is an example message.\n", frozenset({"example.com/foo"})
    )


def test_the_bytes_of_a_checkpoint_its_key_and_its_cosignature_are_pinned() -> None:
    note = note_of(3)
    assert note.decode() == PINNED
    assert LOG.format() == PINNED_KEY
    assert PARTNER.format() == PINNED_COSIGNER
    assert cosign(unverified_text(note), PARTNER.name, PARTNER_KEY, 1_700_000_000) == PINNED_LINE
    assert Checkpoint.parse(verify_note(note, [LOG]).text) == checkpoint(3)


def test_a_note_with_any_bit_flipped_or_any_byte_missing_is_refused() -> None:
    note = note_of(3)
    for at in range(len(note)):
        for wrong in [note[:at] + bytes([note[at] ^ 1 << bit]) + note[at + 1 :] for bit in range(8)]:
            with pytest.raises(NoteRefused):
                verify_note(wrong, [LOG])
        with pytest.raises(NoteRefused):
            verify_note(note[:at] + note[at + 1 :], [LOG])


@pytest.mark.parametrize(
    "change",
    [
        lambda note: b"",
        lambda note: b"\xff" + note,
        lambda note: b"\r" + note,
        lambda note: b"\x00" + note,
        lambda note: note[:-1],
        lambda note: note + b"\n",
        lambda note: note + b"more\n",
        lambda note: note.replace(b"\n\n", b"\n"),
        lambda note: note.replace("— ".encode(), b"- "),
        lambda note: note.replace(b"=\n", b"\n"),
        lambda note: note + "— other.example AAAAAA==\n".encode(),
        lambda note: note + "— other.example AAAAAAF=\n".encode(),  # stray bits
        lambda note: note + "— other+example AAAAAAA=\n".encode(),
        lambda note: note + "— other\u00a0example AAAAAAA=\n".encode(),
        lambda note: note + "—  AAAAAAA=\n".encode(),
        lambda note: note + "— other.example AAAAAAA=\n".encode() * 100,
        lambda note: b"x" * 100_000 + note,
    ],
)
def test_a_note_that_is_not_well_formed_is_refused_whole(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Malformed):
        verify_note(change(note_of(3)), [LOG])


def test_unknown_keys_are_ignored_and_a_known_keys_bad_signature_refuses_all() -> None:
    note = note_of(3)
    text = unverified_text(note)
    stranger = private_key(b"s" * 32)
    other_id = sign_note(text, ORIGIN, stranger).split(b"\n\n")[1]  # our name, another id
    assert verify_note(note + other_id, [LOG]).names == {ORIGIN}
    assert only_known(note + other_id, [LOG]) == note
    with pytest.raises(NotSigned):
        verify_note(note, [])
    with pytest.raises(NotSigned):
        verify_note(note, [log_key(ORIGIN, stranger)])
    bad = note_of(4).split(b"\n\n")[1]  # our key, another text
    for line in [bad, bad + other_id]:
        with pytest.raises(BadSignature):
            verify_note(note + line, [LOG])
    line = cosign(text, PARTNER.name, PARTNER_KEY, 7).encode()
    both = verify_note(note + line, [LOG, PARTNER])
    assert both.names == {ORIGIN, PARTNER.name}
    assert from_base64(line.split()[-1].decode())[4:12] == (7).to_bytes(8, "big")  # after the key id: when
    with pytest.raises(BadSignature):
        verify_note(note_of(4) + line, [LOG, PARTNER])
    with pytest.raises(NotSigned):  # the same key as another kind is another key
        verify_note(note, [cosigner_key(ORIGIN, KEY)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "a+0000000g+AQ==",
        "+" + EXAMPLE_KEY,
        EXAMPLE_KEY + "\n",
        EXAMPLE_KEY[:-1],
        EXAMPLE_KEY.upper(),
        EXAMPLE_KEY.replace("530d", "530e"),
        EXAMPLE_KEY.replace("530d", "530D"),
        EXAMPLE_KEY.replace("foo", "f o"),
        EXAMPLE_KEY.replace("+Aek", "+Bek"),  # of a kind not known here
    ],
)
def test_a_verifier_key_that_is_not_well_formed_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        VerifierKey.parse(text)


ROOT64 = "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8="


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n1\n{ROOT64}",
        f"{ORIGIN}\n1\n{ROOT64}\nextension\n",
        f"{ORIGIN}\n1\n{ROOT64}\n\n",
        f"\n1\n{ROOT64}\n",
        f"a b\n1\n{ROOT64}\n",
        *(f"{ORIGIN}\n{size}\n{ROOT64}\n" for size in ["", "01", "+1", "-1", "1 ", "1_0", "٣", "0x1", "9" * 19, "1e3"]),
        *(
            f"{ORIGIN}\n1\n{root}\n"
            for root in ["", ROOT64[:-4], ROOT64[:-1], "A" + ROOT64, ROOT64[:-2] + "9=", " " + ROOT64]
        ),
    ],
)
def test_a_checkpoint_is_written_in_one_way_only(text: str) -> None:
    assert Checkpoint.parse(f"{ORIGIN}\n1\n{ROOT64}\n").size == 1
    with pytest.raises(Malformed):
        Checkpoint.parse(text)
