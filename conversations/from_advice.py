"""Advice just given, as the beginning of an entry: what may lead to somebody is taken out before anybody proposes it.

Rules kept here:
- The words are opened for the IDVA who gave them, after the reading was recorded.
- What this gives is a draft for its writer's eyes: it is kept nowhere, and what is proposed in the end carries no
  trace of the consultation.
"""

from __future__ import annotations

from sqlalchemy.exc import NoResultFound

from conversations import store
from conversations.advise import REPLACES, STANDING_LINE
from conversations.case import Case
from conversations.errors import NoAdvice, NotYours
from conversations.identifiers import Ordinary, remove_personal
from conversations.relay import open_version
from conversations.tables import Consultation
from conversations.work import Work
from knowledge import library


def draft(work: Work, ref: str, idva_id: str) -> str:
    """The last advice of a consultation with `[removed]` for what may lead to somebody. Raises `NotYours` or
    `NoAdvice`."""
    row = store.by_ref(work.session, ref)
    if idva_id not in (row.idva_id, row.last_idva_id):
        raise NotYours
    try:
        advice = store.last_advice(work.session, row.id)
    except NoResultFound:
        raise NoAdvice from None
    work.reading(idva_id, row.id, message=advice.number, purpose="proposing an entry")
    words = open_version(work, advice).replace(STANDING_LINE, "").replace(REPLACES, "").strip()
    return remove_personal(words, _known(work, row), _ordinary(work))


def _known(work: Work, row: Consultation) -> list[str]:
    """Names and numbers of those who took part, whole and in parts, and the incident's."""
    found = [Case(work, row).incident() or "", row.ref]
    for one in {one for one in (row.officer_id, row.idva_id, row.last_idva_id) if one}:
        person = work.person(one)
        parts = [part for part in (*person.name.split(), *person.number.split()) if len(part) > 2]
        found += [person.name, person.number, person.service, *parts]
    return found


def _ordinary(work: Work) -> Ordinary:
    entries = [one.entry for one in library.live(work.session)]
    texts = ((one.title, one.body, *one.says, one.text, *(phone.number for phone in one.phones)) for one in entries)
    return Ordinary.of(text for found in texts for text in found)
