"""Whether a web address leads where an officer may be sent: to the public internet, over https, to its own host.

Rules kept here:
- A name is resolved once, and what is asked is the address that was looked at: a name that resolves to a private
  network, then or a moment later, is a bad link.
- A redirect is followed to no other host, and not at all: where it leads is looked at like any address.
- Nothing here reaches the network by itself: how to resolve and how to ask are handed in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from knowledge.rules import web_faults


@dataclass(frozen=True)
class Answer:
    """What a page answered."""

    status: int
    location: str = ""  # where it sends whoever asks, if anywhere


class NoAnswer(Exception):
    """The name is unknown, or nothing answers there."""


Resolve = Callable[[str], Sequence[str]]
"""The network addresses of a host. Raises `NoAnswer`."""
Ask = Callable[[str, str], Answer]
"""Asks for a page at exactly this network address. Raises `NoAnswer`."""


def bad_link(address: str, resolve: Resolve, ask: Ask) -> str:
    """What is wrong with a web address; empty for a good one. Never raises for what an address holds."""
    faults = web_faults(address)
    if faults:
        return faults[0]
    host = urlsplit(address).hostname or ""
    try:
        places = resolve(host)
        private = [place for place in places if not _public(place)]
        if private or not places:
            return f"{host} is on a private network" if private else f"{host} has no network address"
        answer = ask(address, places[0])
    except NoAnswer as error:
        return f"{host} does not answer: {error}"
    if answer.location and 300 <= answer.status < 400:
        return _redirect(address, answer.location, host)
    return f"{address} answers {answer.status}" if answer.status >= 400 else ""


def _redirect(address: str, location: str, host: str) -> str:
    try:
        target = urljoin(address, location)
        other = urlsplit(target).hostname or ""
    except ValueError:
        return f"{address[:60]} leads to no web address"
    if web_faults(target):
        return f"{address[:60]} leads to {web_faults(target)[0]}"
    if other.removeprefix("www.") != host.removeprefix("www."):
        return f"{address[:60]} leads to another host: {other[:60]}"
    return ""


def _public(place: str) -> bool:
    try:
        address = ipaddress.ip_address(place)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (mapped is None or mapped.is_global)
