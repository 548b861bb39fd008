"""Everything that can be set, read once. The line refuses to start half-configured, with one line that says why.

Every setting is an environment variable `LANYARD_…` (or stands in the file named by LANYARD_SETTINGS_FILE); the
names are documented in docs/settings.md, and a test keeps that page complete.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from access.provider import HERE, SECURE, Registration
from conversations.line import Doors
from conversations.policy import Policy, RetentionPolicy
from knowledge.places import require_place

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LONGEST_KEPT = 36_525  # days: a hundred years
LONGEST_WAIT = timedelta(days=30).total_seconds()


class TelegramMode(Enum):
    """What Telegram may carry."""

    OFF = "off"  # no Telegram at all
    DOORBELL = "doorbell"  # references, a link and public numbers
    RELAY = "relay"  # people's words: needs a recorded impact assessment


class KeySource(Enum):
    """Who holds the key-encryption keys."""

    FILE = "file"  # a file of mode 600, or a systemd credential
    TRANSIT = "transit"  # Vault or OpenBao; needs the extra lanyard[transit]
    ENVIRONMENT = "environment"  # LANYARD_KEY; practice mode only


class BadSettings(Exception):
    """The settings cannot be used as they are."""


class ProviderSettings(BaseModel):
    """The sign-in of a force or trust, as it knows us. Its secret stands in a file of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    title: str = Field(min_length=1, max_length=80)
    issuer: str = Field(max_length=500)
    client_id: str = Field(min_length=1, max_length=255)
    client_secret_file: Path

    def registration(self) -> Registration:
        """With its secret. Raises `BadSettings`."""
        secret = read_secret(self.client_secret_file)
        if not secret:
            raise BadSettings(f"{self.client_secret_file} is empty: put the client secret of {self.title} into it.")
        return Registration(self.name, self.title, self.issuer, self.client_id, secret)


def _listed(given: Any) -> Any:
    """A JSON list, or what a TOML or JSON file holds as `providers`."""
    if not isinstance(given, str):
        return given
    try:
        if given.lstrip().startswith("["):
            return json.loads(given)
        file = Path(given)
        text = file.read_text()
        found = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
        return found["providers"] if isinstance(found, dict) else found
    except OSError as error:
        raise ValueError(f"its file cannot be read: {error.strerror}") from None
    except (ValueError, KeyError):
        raise ValueError("must be a JSON list, or the path of a TOML or JSON file with `providers` in it") from None


class Settings(BaseSettings):
    """One frozen set of settings."""

    model_config = SettingsConfigDict(env_prefix="LANYARD_", frozen=True, extra="forbid")

    database: str = Field(
        "sqlite:///var/lanyard.db", description="SQLAlchemy URL: sqlite:///file or postgresql+psycopg://…"
    )
    key_file: Path = Field(
        Path("keys/lanyard.key"),
        description="file of the key-encryption keys, mode 600, not beside the database; a bare name may be a "
        "systemd credential",
    )
    keys: KeySource = Field(KeySource.FILE, description="who holds the keys: file, transit, or (practice) environment")
    key: SecretStr | None = Field(None, description="a 256-bit key in base64, for practice mode only")
    transit_url: str | None = Field(None, description="address of Vault or OpenBao, https:// (or http:// here)")
    transit_token_file: Path | None = Field(None, description="file with the token for Transit, mode 600")
    transit_mount: str = Field("transit", description="where the Transit engine is mounted")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="how people's browsers reach this line; passkeys are bound to its host"
    )
    assets: Path = Field(
        Path(__file__).parent.parent / "console/assets/built", description="folder of the built page assets"
    )
    practice: bool = Field(False, description="a clearly marked practice installation; never beside real people")

    telegram: TelegramMode = Field(TelegramMode.OFF, description="off, doorbell or relay")
    telegram_token_file: Path | None = Field(None, description="file with the bot token, mode 600")
    telegram_api: str = Field("https://api.telegram.org/bot", description="Bot API address, up to and with '/bot'")
    telegram_webhook_path: str | None = Field(
        None, description="unguessable path for a webhook; without it the line polls"
    )
    telegram_webhook_secret_file: Path | None = Field(
        None, description="file with the webhook's secret token, mode 600"
    )
    impact_assessment: str | None = Field(
        None, description="reference of the data-protection impact assessment; relay needs it"
    )

    providers: Annotated[tuple[ProviderSettings, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (),
        description="sign-ins of forces and trusts: a JSON list, or the path of a TOML or JSON file that holds it as "
        "`providers`; each with name, title, issuer, client_id and client_secret_file (docs/getting-in.md)",
    )

    lead_name: str = Field("the duty lead", description="how the duty lead is named to officers")
    lead_phone: str | None = Field(None, description="the duty lead's telephone number, told to officers; required")
    emergency: str = Field(Policy.emergency, description="the emergency words, first in every acknowledgement")
    fallbacks: tuple[str, ...] = Field(
        ("National Domestic Abuse Helpline 0808 2000 247 (24 hours, also advises professionals)",),
        description="whom else to ring when no IDVA can answer (a JSON list)",
    )
    service: str = Field(Policy.service, description="what stands behind an IDVA's name")
    area: str = Field("lancashire-14", description="where officers are: only services that cover this area are shown")
    lease_days: int = Field(
        Policy.lease_days, ge=1, le=366, description="days an enrolment runs from each sign-in on the web"
    )
    shift_hours: int = Field(
        12,
        ge=0,
        le=24,
        description="in relay mode: hours for which one sign-in on the web lets Telegram carry words to somebody; "
        "after them it rings until they sign in (0: never asked)",
    )
    capacity: int = Field(Policy.capacity, ge=1, le=20, description="live consultations for one IDVA")
    waits: dict[str, float] = Field(
        default_factory=dict,
        description="waiting times by name in seconds, overriding the defaults (a JSON object)",
    )
    installation: str = Field(
        "lanyard", pattern=r"^[a-z0-9][a-z0-9.-]*$", description="this installation's name, in its log's origin"
    )
    second_trail: Path | None = Field(
        None,
        description="file on another volume where high-risk acts are written a second time before they take effect",
    )
    checkpoints: Path | None = Field(
        None, description="folder elsewhere where signed checkpoints are published; then a start demands to reach them"
    )
    log_keys_file: Path | None = Field(None, description="file with the signer's public key, as it was printed")
    signer_key_file: Path | None = Field(None, description="the signer only: file of its secret key, mode 600")
    signer_record: Path = Field(Path("signer"), description="the signer only: folder of its own record")
    witnesses: dict[str, str] = Field(
        default_factory=dict, description="the signer only: address and public key of each witness (a JSON object)"
    )
    retention: dict[str, float] = Field(
        default_factory=dict,
        description="days a consultation is kept by class, overriding the defaults (a JSON object)",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR; no level ever logs words or names")

    @model_validator(mode="after")
    def _providers(self) -> Settings:
        names = [one.name for one in self.providers]
        if len(set(names)) < len(names) or len({one.issuer for one in self.providers}) < len(names):
            raise ValueError("LANYARD_PROVIDERS names the same provider twice: each needs its own name and issuer")
        here = HERE.match(self.public_url)
        for one in self.providers:
            if not SECURE.match(one.issuer) and not (here and HERE.match(one.issuer)):
                raise ValueError(f"LANYARD_PROVIDERS: the issuer of {one.name} must begin with https://")
        return self

    @field_validator("area")
    @classmethod
    def _known_area(cls, area: str) -> str:
        require_place(area)
        return area

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if not re.match(r"(sqlite:///|postgresql\+psycopg://)", self.database):
            raise ValueError("LANYARD_DATABASE must begin with sqlite:/// or postgresql+psycopg://")
        if self.lead_phone is None and not self.practice:
            raise ValueError("LANYARD_LEAD_PHONE is missing: officers must be told a number that a person answers")
        if self.telegram is TelegramMode.RELAY and not self.impact_assessment:
            raise ValueError(
                "LANYARD_TELEGRAM=relay passes people's words through Telegram. It needs the reference of a "
                "data-protection impact assessment in LANYARD_IMPACT_ASSESSMENT; or use doorbell"
            )
        if self.telegram is not TelegramMode.OFF and self.telegram_token_file is None:
            raise ValueError("LANYARD_TELEGRAM_TOKEN_FILE is missing: put the bot token into a file of mode 600")
        if (self.telegram_webhook_path is None) != (self.telegram_webhook_secret_file is None):
            raise ValueError("a webhook needs both LANYARD_TELEGRAM_WEBHOOK_PATH and …_SECRET_FILE, or neither")
        return self

    @model_validator(mode="after")
    def _keys(self) -> Settings:
        if self.keys is KeySource.TRANSIT and (self.transit_url is None or self.transit_token_file is None):
            raise ValueError("LANYARD_KEYS=transit needs LANYARD_TRANSIT_URL and LANYARD_TRANSIT_TOKEN_FILE")
        if self.transit_url and not re.match(
            r"https://[^/\s]|http://(127\.0\.0\.1|localhost)(:\d+)?(/|$)", self.transit_url
        ):
            raise ValueError("LANYARD_TRANSIT_URL must begin with https:// (or http://127.0.0.1 on this machine)")
        if self.keys is KeySource.ENVIRONMENT and self.key is None:
            raise ValueError("LANYARD_KEYS=environment needs LANYARD_KEY")
        if self.key is not None and not self.practice:
            raise ValueError("LANYARD_KEY is for practice mode only: use LANYARD_KEY_FILE, or LANYARD_KEYS=transit")
        return self

    @model_validator(mode="after")
    def _each(self) -> Settings:
        unknown = set(self.waits) - set(waits())
        if unknown:
            raise ValueError(f"LANYARD_WAITS has unknown names: {', '.join(sorted(unknown))}")
        wrong = [name for name, seconds in self.waits.items() if not 0 < seconds <= LONGEST_WAIT]
        if wrong:
            raise ValueError(f"LANYARD_WAITS: {wrong[0]} must be more than 0 seconds, and 30 days at most")
        if (self.checkpoints is None) != (self.log_keys_file is None):
            raise ValueError("LANYARD_CHECKPOINTS and LANYARD_LOG_KEYS_FILE need each other")
        for name in ("public_url", "telegram_api"):
            if not re.match(r"https?://[^/\s]", getattr(self, name)):
                raise ValueError(f"LANYARD_{name.upper()} must begin with https:// (or http:// on this machine)")
        if self.telegram_webhook_path and not re.fullmatch(r"/[A-Za-z0-9/_-]{16,}", self.telegram_webhook_path):
            raise ValueError(
                "LANYARD_TELEGRAM_WEBHOOK_PATH must be / and 16 or more letters and digits nobody can guess"
            )
        if self.log_level not in LOG_LEVELS:
            raise ValueError(f"LANYARD_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}")
        return self

    @model_validator(mode="after")
    def _elsewhere(self) -> Settings:
        file = self.database_file()
        if file and self.second_trail and self.second_trail.resolve().is_relative_to(file.parent.resolve()):
            raise ValueError("LANYARD_SECOND_TRAIL lies beside the database: put it on another volume")
        return self

    @model_validator(mode="after")
    def _periods(self) -> Settings:
        unknown = set(self.retention) - set(periods())
        if unknown:
            raise ValueError(f"LANYARD_RETENTION has unknown classes: {', '.join(sorted(unknown))}")
        wrong = [name for name, days in self.retention.items() if not 1 <= days <= LONGEST_KEPT]
        if wrong:
            raise ValueError(f"LANYARD_RETENTION: {wrong[0]} must be 1 day or more, and 100 years at most")
        return self

    def policy(self) -> Policy:
        """The waiting times and names for the floors below."""
        return Policy(
            **{name: timedelta(seconds=value) for name, value in self.waits.items()},  # type: ignore[arg-type]
            capacity=self.capacity,
            lease_days=self.lease_days,
            shift_hours=self.shift_hours,
            emergency=self.emergency,
            service=self.service,
            lead_name=self.lead_name,
            lead_phone=self.lead_phone or Policy.lead_phone,
            fallbacks=self.fallbacks,
        )

    def kept(self) -> RetentionPolicy:
        """How long consultations are kept, for the floors below."""
        return RetentionPolicy(**{name: timedelta(days=days) for name, days in self.retention.items()})

    def doors(self) -> Doors:
        """How people are reached."""
        return Doors(
            telegram=self.telegram is not TelegramMode.OFF,
            relay=self.telegram is TelegramMode.RELAY,
            public_url=self.public_url,
            # Telegram opens https and whole host names alone; and without a sign-in nobody could go on in there.
            mini_app=self.telegram is not TelegramMode.OFF
            and re.match(r"https://[^/:]+\.[^/:]", self.public_url) is not None
            and bool(self.providers),
        )

    def database_file(self) -> Path | None:
        """The SQLite file, if it is one."""
        return Path(self.database.removeprefix("sqlite:///")) if self.database.startswith("sqlite") else None

    def telegram_token(self) -> SecretStr:
        """The bot token. Raises `BadSettings`."""
        if self.telegram_token_file is None:
            raise BadSettings("LANYARD_TELEGRAM_TOKEN_FILE is missing")
        token = read_secret(self.telegram_token_file)
        if not re.fullmatch(r"\d+:[\w-]{20,}", token):
            raise BadSettings(f"{self.telegram_token_file} holds no bot token. BotFather shows it: put it there alone.")
        return SecretStr(token)

    def webhook_secret(self) -> SecretStr | None:
        """The webhook's secret token, if there is a webhook. Raises `BadSettings`."""
        file = self.telegram_webhook_secret_file
        if file is None:
            return None
        secret = read_secret(file)
        if not re.fullmatch(r"[A-Za-z0-9_-]{32,256}", secret):  # Bot API setWebhook; 32 signs can hold 190 bits
            raise BadSettings(f"{file} must hold 32 to 256 random letters, digits, _ or -. Make it anew.")
        return SecretStr(secret)


def waits() -> dict[str, timedelta]:
    """The waiting times that can be set, with their defaults."""
    return {name: default for name, default in vars(Policy).items() if isinstance(default, timedelta)}


def periods() -> dict[str, timedelta]:
    """The retention periods that can be set, with their defaults."""
    return {name: default for name, default in vars(RetentionPolicy).items() if isinstance(default, timedelta)}


def read_settings(**given: Any) -> Settings:
    """The settings. Raises `BadSettings` with one line that says what to do."""
    file = os.environ.get("LANYARD_SETTINGS_FILE")
    if file is not None and not os.access(file, os.R_OK):
        raise BadSettings(f"The settings file {file} cannot be read. Correct LANYARD_SETTINGS_FILE.")
    try:
        return Settings(_env_file=file, **given)
    except SettingsError as error:
        name = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "")
        raise BadSettings(f"LANYARD_{name.upper()} must be written as JSON (docs/settings.md shows how).") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        message = str(first["msg"]).removeprefix("Value error, ")
        raise BadSettings(f"LANYARD_{name}: {message}" if name else message) from None


def read_secret(file: Path) -> str:
    """What a file of mode 600 holds. Raises `BadSettings`."""
    try:
        if file.stat().st_mode & 0o077:
            raise BadSettings(f"{file} can be read by others. Run: chmod 600 {file}")
        return file.read_text().strip()
    except OSError as error:
        raise BadSettings(f"{file} cannot be read: {error.strerror}") from None
