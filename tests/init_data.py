"""What a Telegram client puts behind the `#`, made as Telegram says it makes it; shares no code with ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from urllib.parse import quote, urlencode

BOT_TOKEN = "123456:TEST-TOKEN-of-nobody-at-all"


def fields_of(user_id: object, at: datetime, **more: str) -> dict[str, str]:
    """The fields that Telegram signs for a button under a message."""
    user = {"id": user_id, "first_name": "Pat é", "username": "pat", "language_code": "en"}
    said = {"query_id": "AAHdF6IQAAAAAN0XohDhrOrc", "auth_date": str(int(at.timestamp()))}
    signature = "TYJxVcisqbWjtodPepiJ6ghziUL94-KNpG8Pau-X7oNNLNBM72APCpi_RKiUlBvcqo5L-LAxIc3dnTzcZX_PDg"
    return said | {"user": json.dumps(user, ensure_ascii=False), "signature": signature} | more


def hash_of_fields(fields: dict[str, str], bot_token: str = BOT_TOKEN) -> str:
    """The `hash` that Telegram adds."""
    secret = hmac.new(b"WebAppData", bot_token.encode(), hashlib.sha256).digest()
    lines = "\n".join(sorted(f"{name}={value}" for name, value in fields.items()))
    return hmac.new(secret, lines.encode(), hashlib.sha256).hexdigest()


def written(fields: dict[str, str]) -> str:
    """As it stands in the address."""
    return urlencode(fields, quote_via=quote)


def signed(user_id: object, at: datetime, bot_token: str = BOT_TOKEN, **more: str) -> str:
    """Whole `initData`."""
    fields = fields_of(user_id, at, **more)
    return written(fields | {"hash": hash_of_fields(fields, bot_token)})
