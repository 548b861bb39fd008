"""Log lines that cannot hold words, names or tokens, whoever writes them.

Rules kept here:
- Records are cleaned where they are made, so no handler, test or debugger of anybody sees what was not kept.
- Our own lines are ids and short classes by habit; here any bot token or named secret in them is struck out.
- Lines of libraries keep only their fixed template, or the place in the code when they have none: httpx logs
  addresses with the token in them, and python-telegram-bot logs the messages themselves.
- An exception is its class names and the places it passed through. Its message may hold anything.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from traceback import walk_tb
from types import TracebackType
from typing import Any, TextIO

OURS = frozenset(
    {"access", "audit", "bot", "console", "conversations", "knowledge", "lanyard", "migrations", "storage"}
)
_LOUD = ("telegram", "httpx", "httpcore", "hpack")
_STRUCK = "<struck out>"
_TOKEN = re.compile(r"\d{5,}(?::|%3A)[\w-]{30,}|(?<=/bot)\d[^/\s?\"']*", re.IGNORECASE)
_ID = re.compile(r"[\w.:+-]{1,64}")
_MAX_CAUSES = 8

_secrets: list[str] = []


def struck(text: str) -> str:
    """The text without bot tokens and named secrets."""
    for secret in _secrets:
        text = text.replace(secret, _STRUCK)
    return _TOKEN.sub(_STRUCK, text)


class QuietRecord(logging.LogRecord):
    """A log record that never held more than may be kept."""

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        sinfo: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, level, pathname, lineno, "", None, None, func, None, **kwargs)
        self.msg = _ours(msg, args) if name.partition(".")[0] in OURS else _theirs(self, msg, args)
        problem = exc_info[1] if isinstance(exc_info, tuple) else None
        self.exc_text = story(problem) if problem is not None else None
        self.stack_info = struck(sinfo) if sinfo else None


def _ours(msg: object, args: Any) -> str:
    """Message and arguments, put together now: what is kept no longer depends on what they become."""
    given = tuple(_named(arg) for arg in args) if isinstance(args, tuple) else args
    try:
        text = logging.LogRecord("", 0, "", 0, _named(msg), given, None).getMessage()
    except (TypeError, ValueError, KeyError):
        text = "badly formed log line"
    return struck(text)


def _named(value: object) -> object:
    """An exception's class name in its place; all else as it is."""
    return type(value).__name__ if isinstance(value, BaseException) else value


def _theirs(record: logging.LogRecord, msg: object, args: Any) -> str:
    """A library's template when it passed arguments apart from it; else only where the line comes from."""
    place = f"{record.module}.{record.funcName}:{record.lineno}"
    return f"{place} {struck(msg)}" if args and isinstance(msg, str) else place


def story(problem: BaseException) -> str:
    """An exception without its words: class names, innermost cause last, each with the places it passed."""
    told: list[str] = []
    current: BaseException | None = problem
    while current is not None and len(told) < _MAX_CAUSES:
        name = f"{type(current).__module__}.{type(current).__qualname__}"
        told.append(" ".join([name, *_places(current.__traceback__)]))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return struck("; from ".join(told))


def _places(tb: TracebackType | None) -> list[str]:
    codes = [(frame.f_code, line) for frame, line in walk_tb(tb)]
    return [f"{code.co_filename.rpartition('/')[2]}:{code.co_name}:{line}" for code, line in codes]


class QuietFormatter(logging.Formatter):
    """One JSON object a line. `extra={"ids": {...}}` adds ids; what does not look like an id is left out."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        ids = getattr(record, "ids", None)
        for name, value in (ids if isinstance(ids, dict) else {}).items():
            kept = value is None or isinstance(value, int) or _ID.fullmatch(struck(str(value)))
            line.setdefault(str(name), value if kept else _STRUCK)
        if record.exc_text:
            line["problem"] = record.exc_text
        return json.dumps(line)  # ASCII only: no control sign, line end or surrogate can break a line


def _log_uncaught(kind: type[BaseException], problem: BaseException, tb: TracebackType | None) -> None:
    """What nobody caught ends as one quiet line, not as Python's traceback with the words in it."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("lanyard").critical("stopped by an error nobody caught", exc_info=(kind, problem, tb))


def strike_out(*secrets: str) -> None:
    """Never log these from now on, wherever they turn up in a line."""
    _secrets.extend(secret for secret in secrets if secret and secret not in _secrets)


def keep_words_out_of_logs(level: int | str = logging.INFO, stream: TextIO | None = None) -> None:
    """Log to `stream` (standard error), one line an event. Call once, first of all, before anything logs.

    uvicorn has to be started with `log_config=None`, or it puts its own handlers up again."""
    logging.setLogRecordFactory(QuietRecord)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(QuietFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_uncaught
    # Its lines are addresses: sign-in links and the webhook's path are secrets.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    access.setLevel(logging.CRITICAL + 1)
