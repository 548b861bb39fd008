"""A stand-in for the Telegram Bot API server, for tests. `README.md` beside this file says what it offers."""

from tests.botapi.api import BotApi
from tests.botapi.buttons import Button
from tests.botapi.calls import Call
from tests.botapi.chats import Message, Notification
from tests.botapi.faults import Fault
from tests.botapi.groups import Group
from tests.botapi.media import KINDS
from tests.botapi.people import Person, Tap

__all__ = ["KINDS", "BotApi", "Button", "Call", "Fault", "Group", "Message", "Notification", "Person", "Tap"]
