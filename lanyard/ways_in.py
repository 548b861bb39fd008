"""The ways in from outside: sign-ins of forces and trusts, and what Telegram signs for the Mini App."""

from __future__ import annotations

from access.init_data import key_of
from access.provider import Provider
from bot.quiet import strike_out
from lanyard.settings import Settings


def make_providers(settings: Settings) -> dict[str, Provider]:
    """Where people may sign in, in the order of the settings. Raises `BadSettings`."""
    known = [one.registration() for one in settings.providers]
    strike_out(*(one.client_secret for one in known))
    return {one.name: Provider(one) for one in known}


def mini_app_key(settings: Settings) -> bytes | None:
    """The key of what Telegram signs for the Mini App; None: there is none. Raises `BadSettings`."""
    return key_of(settings.telegram_token().get_secret_value()) if settings.doors().mini_app else None
