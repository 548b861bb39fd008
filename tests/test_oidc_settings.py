"""Providers of sign-ins in the settings: a half-known one refuses the start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lanyard.settings import BadSettings, read_settings
from lanyard.ways_in import make_providers
from tests.place import Place, only_settings

KNOWN = {"name": "force", "title": "Force", "issuer": "https://login.example", "client_id": "lanyard"}


def refusal(place: Place, monkeypatch: pytest.MonkeyPatch, providers: object, **more: str) -> str | None:
    """With what sentence these settings are refused at the start, if they are."""
    listed = providers if isinstance(providers, str) else json.dumps(providers)
    only_settings(monkeypatch, place.env | {"PROVIDERS": listed} | more)
    try:
        make_providers(read_settings())
    except BadSettings as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("spoilt", "sentence"),
    [
        ({"issuer": "http://login.example"}, "LANYARD_PROVIDERS: the issuer of force must begin with https://"),
        ({"issuer": "http://127.0.0.1.evil.example"}, "must begin with https://"),
        ({"name": "../force"}, "LANYARD_PROVIDERS_0_NAME"),
        ({"client_id": ""}, "LANYARD_PROVIDERS_0_CLIENT_ID"),
        ({"client_id": None}, "LANYARD_PROVIDERS_0_CLIENT_ID"),
        ({"client_secret": "in the settings"}, "LANYARD_PROVIDERS_0_CLIENT_SECRET"),
        ({"client_secret_file": "/nowhere"}, "/nowhere cannot be read"),
    ],
)
def test_a_provider_that_is_half_known_refuses_the_start(
    place: Place, monkeypatch: pytest.MonkeyPatch, spoilt: dict[str, str], sentence: str
) -> None:
    whole = KNOWN | {"client_secret_file": place.secret("force", "s3cret")}
    assert refusal(place, monkeypatch, [whole]) is None
    said = refusal(place, monkeypatch, [whole | spoilt])
    assert said is not None
    assert sentence in said
    assert "\n" not in said


def test_a_secret_that_is_missing_or_open_to_others_refuses_the_start(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.secret("force", "\n")
    whole = KNOWN | {"client_secret_file": file}
    assert "is empty" in str(refusal(place, monkeypatch, [whole]))
    Path(file).chmod(0o644)
    assert "can be read by others" in str(refusal(place, monkeypatch, [whole]))


def test_providers_stand_in_the_settings_or_in_a_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = KNOWN | {"client_secret_file": place.secret("force", "s3cret")}
    toml = place.folder / "providers.toml"
    toml.write_text("[[providers]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in whole.items()))
    other = place.folder / "providers.json"
    other.write_text(json.dumps({"providers": [whole]}))
    for listed in ([whole], str(toml), str(other)):
        assert refusal(place, monkeypatch, listed) is None
        assert list(make_providers(read_settings())) == ["force"]
    assert "names the same provider twice" in str(refusal(place, monkeypatch, [whole, whole | {"name": "trust"}]))
    for wrong in ("[", "/nowhere.toml", str(place.key)):
        assert "LANYARD_PROVIDERS: " in str(refusal(place, monkeypatch, wrong))


def test_an_issuer_without_https_is_for_a_line_on_this_machine_only(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = KNOWN | {"issuer": "http://127.0.0.1:9400", "client_secret_file": place.secret("force", "s3cret")}
    assert refusal(place, monkeypatch, [here]) is None
    assert "must begin with https://" in str(refusal(place, monkeypatch, [here], PUBLIC_URL="https://line.example"))
