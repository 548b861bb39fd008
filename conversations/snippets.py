"""An IDVA's own wording: sentences kept to be put into the answer box, read again there, and sent by hand.

Rules kept here:
- They are their author's alone, sealed under the author's own key: gone with it.
- Nothing is sent from here. What is sent is a message like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from access.people import scope_of
from conversations.errors import NoSuchSnippet, WrongSnippet
from conversations.tables_desk import Snippet
from conversations.work import Work

MOST = 30
LONGEST = 600  # characters


@dataclass(frozen=True)
class SnippetShown:
    """One of them, opened for its author."""

    id: str
    words: str


def snippets(work: Work, author_id: str) -> list[SnippetShown]:
    """One's own, oldest first."""
    found = work.session.scalars(
        select(Snippet).where(Snippet.author_id == author_id).order_by(Snippet.at, Snippet.id)
    ).all()
    return [SnippetShown(one.id, _open(work, one)) for one in found]


def add_snippet(work: Work, author_id: str, words: str) -> None:
    """Keep one more. Raises `WrongSnippet`."""
    many = work.session.scalar(select(func.count(Snippet.id)).where(Snippet.author_id == author_id)) or 0
    if many >= MOST:
        raise WrongSnippet
    made, sealed = work.new_id(), _checked(words)
    kept = work.seal("snippet", "words", made, scope_of(author_id), sealed)
    work.session.add(Snippet(id=made, author_id=author_id, words=kept, at=work.now))


def change_snippet(work: Work, author_id: str, snippet_id: str, words: str) -> None:
    """Word one anew. Raises `NoSuchSnippet` or `WrongSnippet`."""
    found = _own(work, author_id, snippet_id)
    found.words = work.seal("snippet", "words", found.id, scope_of(author_id), _checked(words))


def remove_snippet(work: Work, author_id: str, snippet_id: str) -> None:
    """Take one away. Raises `NoSuchSnippet`."""
    work.session.delete(_own(work, author_id, snippet_id))


def _own(work: Work, author_id: str, snippet_id: str) -> Snippet:
    found = work.session.get(Snippet, snippet_id)
    if found is None or found.author_id != author_id:
        raise NoSuchSnippet
    return found


def _checked(words: str) -> str:
    if not 0 < len(words.strip()) <= LONGEST:
        raise WrongSnippet
    return words.strip()


def _open(work: Work, one: Snippet) -> str:
    return work.open_words("snippet", "words", one.id, scope_of(one.author_id), one.words)
