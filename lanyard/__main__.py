"""The `lanyard` command."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date

from access.people import AlreadyKnown, NoSuchPerson
from access.people import PracticeMix as MixedPeople
from access.tables import Role
from audit.second import SecondTrailDamaged, SecondTrailUnwritable
from bot.quiet import keep_words_out_of_logs
from bot.telegram_polling import CannotListen
from conversations.erasure import Rule
from conversations.errors import LineError
from conversations.retention import HoldReason, KeepReason
from knowledge.entry import BadEntry
from knowledge.library import CatalogueError
from lanyard import (
    commands,
    key_commands,
    knowledge_commands,
    referral_commands,
    retention_commands,
    rota_commands,
    simulate_command,
    trail_commands,
)
from lanyard.schema import SchemaProblem
from lanyard.settings import LOG_LEVELS, BadSettings
from lanyard.signing import TrailProblem
from lanyard.simulation import Plan
from lanyard.wiring import AlreadyRunning, MadeUpPeople, PracticeMix
from storage.providers import KeyProblem
from storage.rotation import BATCH

REFUSALS = (
    BadSettings,
    SchemaProblem,
    KeyProblem,
    TrailProblem,
    AlreadyRunning,
    PracticeMix,
    MadeUpPeople,
    MixedPeople,
    CannotListen,
    LineError,
    BadEntry,
    CatalogueError,
    SecondTrailUnwritable,
    SecondTrailDamaged,
    FileExistsError,
    ValueError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. What is refused is said in one line, with exit status 2."""
    asked = _parser().parse_args(arguments)
    level = "WARNING" if asked.run is commands.practice else "INFO"  # a newcomer wants the links, not the log
    wanted = os.environ.get("LANYARD_LOG_LEVEL", level)
    keep_words_out_of_logs(wanted if wanted in LOG_LEVELS else level)  # a wrong one is refused with the settings
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        return int(asked.run(asked))
    except NoSuchPerson as error:
        return _refuse(f"Nobody has the staff id {error}. See: lanyard people list")
    except AlreadyKnown as error:
        return _refuse(f"Somebody has the staff id {error} already.")
    except REFUSALS as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 130


def _refuse(line: str) -> int:
    print(f"lanyard: {line}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lanyard", description="The consultation line.")
    groups = parser.add_subparsers(required=True, metavar="COMMAND")
    practice = _command(groups, "practice", commands.practice)
    practice.add_argument("--folder", default="practice", help="where its database and keys live")
    practice.add_argument("--port", type=int, help="port to listen on (8000)")
    _command(groups, "serve", commands.serve)
    _command(groups, "states", commands.states).add_argument("folder", nargs="?", default="docs")
    people = groups.add_parser("people", help="members of staff").add_subparsers(required=True)
    add = _command(people, "add", commands.people_add)
    for name in ("staff_id", "name", "service"):
        add.add_argument(name)
    add.add_argument("role", nargs="+", choices=[role.value for role in Role])
    _command(people, "list", commands.people_list)
    link = _command(people, "link", commands.people_link)
    link.add_argument("staff_id")
    link.add_argument("role", choices=[role.value for role in Role])
    _command(people, "telegram", commands.people_telegram).add_argument("staff_id")
    _command(people, "suspend", commands.people_suspend).add_argument("staff_id")
    _rota(groups)
    keys = groups.add_parser("keys", help="the key-encryption keys").add_subparsers(required=True)
    _command(keys, "make", key_commands.make)
    _command(keys, "doctor", key_commands.doctor)
    rotate = _command(keys, "rotate", key_commands.rotate)
    only = rotate.add_mutually_exclusive_group()
    only.add_argument("--key-only", action="store_true", help="make the next key and wrap nothing anew yet")
    only.add_argument("--retire", action="store_true", help="destroy replaced keys: backups under them open no more")
    rotate.add_argument("--batch", type=int, default=BATCH, help=f"rows in one transaction ({BATCH})")
    for name, run in (("escrow", key_commands.escrow), ("restore", key_commands.restore)):
        sealed = _command(keys, name, run)
        sealed.add_argument("file")
        sealed.add_argument("--passphrase-file", required=True, help="file of mode 600 with the passphrase")
    database = groups.add_parser("database", help="the schema").add_subparsers(required=True)
    _command(database, "upgrade", commands.database_upgrade)
    _trail(groups)
    _retention(groups)
    _knowledge(groups)
    _simulate(groups)
    return parser


def _simulate(groups: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    simulated = _command(groups, "simulate", simulate_command.simulate)
    simulated.add_argument(
        "--shift", type=simulate_command.shift, action="append", metavar="7-15", help="one IDVA each"
    )
    simulated.add_argument("--questions", type=int, default=Plan.questions, help=f"in the day ({Plan.questions})")
    simulated.add_argument("--day", type=date.fromisoformat, default=date(2026, 11, 20), help="2026-11-20")
    simulated.add_argument("--seed", type=int, default=Plan.seed, help="another day of the same kind")


def _rota(groups: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rota = groups.add_parser("rota", help="who is on duty when").add_subparsers(required=True)
    shift = _command(rota, "add", rota_commands.add)
    shift.add_argument("staff_id")
    shift.add_argument("starts", help="local time, for example 2026-11-23T14:00")
    shift.add_argument("ends")
    shift.add_argument("--lead", action="store_true", help="as duty lead instead of IDVA")
    brought = _command(rota, "import", rota_commands.import_)
    brought.add_argument("file", help="iCalendar or CSV; see docs/rota.md")
    brought.add_argument("--by", required=True, metavar="STAFF_ID", help="the lead or supervisor whose rota it is")
    brought.add_argument("--shown", metavar="FINGERPRINT", help="do it: what it would change was looked at")


def _knowledge(groups: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    knowledge = groups.add_parser("knowledge", help="the catalogue and red flags").add_subparsers(required=True)
    suggest = _command(knowledge, "suggest", knowledge_commands.suggest)
    suggest.add_argument("text", nargs="?", help="a message, as an officer would write it")
    suggest.add_argument("--area", help="where the officer is: blackpool, lancashire-14 …")
    suggest.add_argument("--lines", action="store_true", help="a message a line in, an object a line out")
    suggest.add_argument("--json", action="store_true", help="for scripts")
    evaluate = _command(knowledge, "evaluate", knowledge_commands.evaluate)
    evaluate.add_argument("file", help="labelled messages: id, text, topics, flags, not_flags; tab-separated")
    evaluate.add_argument("--json", action="store_true", help="in one line, for scripts")
    _command(knowledge, "vectors", knowledge_commands.vectors)
    _referral(knowledge)


def _referral(knowledge: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = _command(knowledge, "export", referral_commands.export)
    export.add_argument("--format", choices=referral_commands.FORMATS, default=referral_commands.FORMATS[0])
    links = _command(knowledge, "links", referral_commands.links)
    for one in (export, links):
        one.add_argument("--live", action="store_true", help="of the live catalogue, not the shipped one")
    taken = _command(knowledge, "import", referral_commands.import_)
    taken.add_argument("file", help="a .json of Open Referral, a .csv, an entry's .md, or a .zip of them")
    taken.add_argument("--by", metavar="STAFF_ID", help="propose the changes, as this curator or IDVA")
    taken.add_argument("--owner", help="for services of whose file it is silent: the role that answers for them")
    taken.add_argument("--review-by", type=date.fromisoformat, metavar="DATE", help="the same: their review date")
    taken.add_argument("--area", action="append", help="the same: where they are for (again for more)")
    taken.add_argument("--topic", action="append", help="the same: what they are about, the main topic first")


def _trail(groups: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = groups.add_parser("audit", help="the trail: keys, bundles and their check").add_subparsers(required=True)
    key = _command(audit, "key", trail_commands.audit_key)
    key.add_argument("file")
    key.add_argument("--name", required=True, help="the log's origin (lanyard/1), or the witness's name")
    key.add_argument("--witness", action="store_true", help="as a witness's key")
    export = _command(audit, "export", trail_commands.audit_export)
    export.add_argument("out")
    export.add_argument("--reference", help="of one consultation, or an incident log number with --force")
    export.add_argument("--force", help="whose incident log number it is")
    export.add_argument("--words", action="store_true", help="with every wording of every message")
    export.add_argument("--by", help="staff id of whoever asks for it")
    export.add_argument("--recipient", required=True, help="who gets it: a reference, no name")
    export.add_argument("--purpose", required=True)
    check = _command(audit, "check", trail_commands.audit_check)
    check.add_argument("arguments", nargs=argparse.REMAINDER, help="BUNDLE --key FILE (and more: --help after BUNDLE)")
    _command(audit, "second", trail_commands.audit_second)
    _command(audit, "recover", trail_commands.audit_recover).add_argument("--reference", required=True)
    _command(groups, "signer", trail_commands.signer)
    witness = _command(groups, "witness", trail_commands.witness)
    witness.add_argument("--name", required=True)
    witness.add_argument("--key-file", required=True)
    witness.add_argument("--record", required=True, help="folder of its own record")
    witness.add_argument("--log", action="append", required=True, help="public key of a log it cosigns")
    witness.add_argument("--host", default="127.0.0.1")
    witness.add_argument("--port", type=int, default=8001)


def _retention(groups: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    group = groups.add_parser("retention", help="what is kept, held and erased").add_subparsers(required=True)
    _command(group, "due", retention_commands.due)
    keep = _command(group, "keep", retention_commands.keep)
    month = _command(group, "destroy-month", retention_commands.destroy_month)
    month.add_argument("month", help="a month that is over, such as 2032-11")
    month.add_argument("--by", required=True, metavar="STAFF_ID", help="the supervisor who does it")
    hold = _command(group, "hold", retention_commands.hold)
    lift = _command(group, "lift", retention_commands.lift_hold)
    erase = _command(group, "erase", retention_commands.erase_one)
    for one in (keep, hold, lift, erase):
        one.add_argument("ref", metavar="REF", help="the consultation's reference")
        one.add_argument("--by", required=True, metavar="STAFF_ID", help="the supervisor who does it")
    keep.add_argument("--reason", required=True, choices=[reason.value for reason in KeepReason])
    keep.add_argument("--until", required=True, type=date.fromisoformat, metavar="DATE", help="when it is due again")
    hold.add_argument("--reason", required=True, choices=[reason.value for reason in HoldReason])
    hold.add_argument("--reference", required=True, help="the case's number; it names nobody")
    lift.add_argument("--reference", help="which hold, where there are several")
    erase.add_argument("--rule", required=True, choices=[rule.value for rule in Rule])
    erase.add_argument("--certificates", required=True, metavar="FOLDER", help="where its certificate is written")


def _command(
    group: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=(run.__doc__ or "").splitlines()[0], description=run.__doc__)
    parser.set_defaults(run=run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
