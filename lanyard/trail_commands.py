"""`lanyard audit …`, `lanyard signer`, `lanyard witness`: the trail's keys, checkpoints, bundles and their check."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from access.people import find_by_staff_id
from audit import check
from audit.bundle import Disclosed, write_consultations, write_log
from audit.checkpoint import FileStore, Refused, Signed
from audit.disclosure import Dossier, to_pdf
from audit.events import Event
from audit.notes import PrivateKey, VerifierKey, cosigner_key, log_key
from audit.second import compare
from audit.trail import Head, leaf_at, lost_ends
from audit.witness import WitnessKey, serve_witness
from conversations.disclose import Intent, intend, of_reference, told, words_of
from conversations.work import BY_THE_LINE, working
from lanyard.commands import at_home, say
from lanyard.settings import BadSettings, Settings, read_settings
from lanyard.signing import Notary, TrailProblem, newest, origin_of, read_signing_key, recover
from lanyard.wiring import House, open_database


def audit_key(asked: Namespace) -> int:
    """A fresh signing key in a file of mode 600 (or the one that is there); prints its public key."""
    file = Path(asked.file)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as opened:
            opened.write(PrivateKey.generate().private_bytes_raw().hex())
    made = cosigner_key if asked.witness else log_key
    say(made(asked.name, read_signing_key(file)).format())
    return 0


def signer(_asked: Namespace) -> int:
    """Sign and publish the trail's checkpoints until stopped. Runs as somebody who is not the line."""
    settings = read_settings()
    database = open_database(settings)
    try:
        Notary(settings, database, say).keep()
    except Refused as refused:
        raise TrailProblem(
            f"Not signed: {refused} ({type(refused).__name__}). Find out why before anything goes on."
        ) from None
    finally:
        database.close()
    return 0


def witness(asked: Namespace) -> int:
    """Cosign the growth of others' logs (C2SP tlog-witness) until stopped. For the partner organisation."""
    logs: dict[str, list[VerifierKey]] = {}
    for line in asked.log:
        key = VerifierKey.parse(line)
        logs.setdefault(key.name, []).append(key)
    own = WitnessKey(asked.name, read_signing_key(Path(asked.key_file)))
    server = serve_witness(
        (asked.host, asked.port), FileStore(Path(asked.record)), logs, own, lambda: datetime.now(UTC)
    )
    with closing(server.socket):
        say(f"{own.verifier.format()} is listening on http://{asked.host}:{server.server_address[1]}")
        server.serve_forever()
    return 0


def audit_export(asked: Namespace) -> int:
    """The whole log as a bundle; or one consultation, or one incident, with or without its words."""
    out = Path(asked.out)
    if out.exists():
        raise BadSettings(f"{out} is there already, and is never written over.")
    with at_home() as house:
        if asked.reference is None:
            _export_log(house, asked, out)
        else:
            _export_consultations(house, asked, out)
    say(f"Wrote {out}. Anybody with the public key can check it: lanyard audit check {out} --key FILE")
    return 0


def _export_log(house: House, asked: Namespace, out: Path) -> None:
    with working(house.line) as work:
        work.record(Event.EXPORTED, BY_THE_LINE, recipient=asked.recipient, purpose=asked.purpose, words=False)
    signed = _signed(house)
    with house.line.database.reading() as session:
        write_log(session, signed.checkpoint.size, signed.note, out)


def _export_consultations(house: House, asked: Namespace, out: Path) -> None:
    with working(house.line) as work:
        by = find_by_staff_id(work.session, house.line.keyring, asked.by).id if asked.by else BY_THE_LINE
        found = tuple(row.id for row in of_reference(work, asked.reference, asked.force))
        intent = Intent(found, by, asked.recipient, asked.purpose)
        intend(work, intent)
    words: list[Disclosed] = []
    if asked.words:
        with working(house.line) as work:
            words = words_of(work, intent)
    signed = _signed(house)
    checkpoint = signed.checkpoint
    with house.line.database.reading() as session:
        write_consultations(session, found, checkpoint.size, signed.note, out, words)
    if asked.words:
        with working(house.line) as work:
            parts = tuple(told(work, one, words, checkpoint.size) for one in found)
            by_name = work.person(by).title if by != BY_THE_LINE else "the line"
        paper = Dossier(
            datetime.now(UTC),
            by_name,
            asked.recipient,
            asked.purpose,
            checkpoint.origin,
            checkpoint.size,
            checkpoint.root,
            parts,
        )
        out.with_suffix(".pdf").write_bytes(to_pdf(paper))


def _signed(house: House) -> Signed:
    """The newest checkpoint; signed here and now where this installation also holds the signer's key."""
    settings = house.settings
    if settings.signer_key_file is not None:
        Notary(settings, house.line.database, say).look(datetime.now(UTC))
    with house.line.database.reading() as session:
        epoch = session.get_one(Head, 1).epoch
    found = newest(settings, epoch)
    if found is None:
        raise TrailProblem(
            "Nothing of this trail is signed and published yet. Start 'lanyard signer', wait a minute, and ask again."
        )
    return found


def audit_check(asked: Namespace) -> int:
    """Check a bundle with nothing but public keys. 0 good, 1 tampered, 2 incomplete, 3 usage."""
    return check.main(asked.arguments)


def audit_second(_asked: Namespace) -> int:
    """Compare the trail with the second one. 0: nothing is missing; 1: something was taken out of the trail."""
    settings = read_settings()
    if settings.second_trail is None:
        raise BadSettings("LANYARD_SECOND_TRAIL is not set: there is no second trail to compare with.")
    database = open_database(settings)
    try:
        with settings.second_trail.open("rb") as lines, database.reading() as session:
            found = compare(lines, lambda index: leaf_at(session, index), lost_ends(session))
    except FileNotFoundError:
        raise BadSettings(f"{settings.second_trail} is not there. Was its volume mounted?") from None
    finally:
        database.close()
    say(f"{len(found.kept)} high-risk acts stand in both; {len(found.undone)} were never committed;")
    say(f"{len(found.owned_up)} were lost with an end of the trail that it owns up to.")
    if found.missing:
        say(f"MISSING from the trail, though committed: leaves {', '.join(map(str, sorted(found.missing)))}.")
    return 1 if found.missing else 0


def audit_recover(asked: Namespace) -> int:
    """Go on over an older copy of the database, openly: a new epoch that names what was lost."""
    settings = read_settings()
    database = open_database(settings)
    try:
        epoch, start, stop = recover(settings, database, asked.reference)
    finally:
        database.close()
    say(f"Leaves {start} to {stop - 1} are lost, and the trail says so. It goes on as {_name(settings, epoch)}:")
    say("give the witnesses the public key under that name (lanyard audit key FILE --name …), and restart the signer.")
    return 0


def _name(settings: Settings, epoch: int) -> str:
    return origin_of(settings, epoch)
