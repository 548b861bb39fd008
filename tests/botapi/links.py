"""Which links Telegram takes. Pure. TDLib `LinkManager.cpp`, check_link_impl, in short.

Not done here: the rewriting of international host names.
"""

from __future__ import annotations

from urllib.parse import urlsplit


class BadLink(Exception):
    """Telegram takes no such link."""


def check_link(link: str, *, https_only: bool = False) -> str:
    """Give the link as Telegram keeps it, or say in its words what is wrong."""
    try:
        parts = urlsplit(link if ":" in link.split("/", maxsplit=1)[0] else f"http://{link}")
        host, scheme = parts.hostname or "", parts.scheme.lower()
    except ValueError:
        raise BadLink(f"URL '{link}' is invalid: Wrong port number specified in the URL") from None
    why = None
    if scheme not in {"http", "https", "tg", "ton", "tonsite"}:
        why = "Unsupported URL protocol"
    elif not host:
        why = "URL host is empty"
    elif https_only and scheme != "https":
        why = "Only HTTPS links are allowed"
    elif scheme in {"http", "https"} and "." not in host and ":" not in host:
        why = "Wrong HTTP URL"
    if why:
        raise BadLink(f"URL '{link}' is invalid: {why}")
    return parts.geturl()


def checked_link(link: str) -> str:
    """Give the link, or nothing where Telegram takes none."""
    try:
        return check_link(link)
    except BadLink:
        return ""
