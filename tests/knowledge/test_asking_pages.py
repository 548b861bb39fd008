"""The check of links asks for a page at the address that was looked at, and believes only that host's certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from knowledge.links import Answer, NoAnswer
from lanyard import asking_pages

PLACE = "93.184.216.34"


class Page:
    """A page on this machine, by TLS, that stands where the internet would be."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "page.pem"
        self.file.write_bytes(_certificate("example.org"))
        self.asked: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        raw, _ = self._listening.accept()
        try:
            with context.wrap_socket(raw, server_side=True) as opened:
                self.asked += opened.recv(4096).decode().splitlines()
                opened.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            raw.close()

    def close(self) -> None:
        """Done."""
        self._thread.join()
        self._listening.close()


def _certificate(host: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name, start = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start - timedelta(days=1))
        .not_valid_after(start + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return written + made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    made = Page(tmp_path)
    connect = socket.create_connection

    def nearby(address: tuple[str, int], timeout: float) -> socket.socket:
        assert address == (PLACE, 443)
        return connect(("127.0.0.1", made.port), timeout)

    trusting = ssl.create_default_context(cafile=made.file)
    monkeypatch.setattr(socket, "create_connection", nearby)
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    yield made
    made.close()


def test_a_page_is_asked_for_at_the_address_that_was_looked_at(page: Page) -> None:
    assert asking_pages.ask("https://example.org/a?b=c", PLACE) == Answer(302, "/elsewhere")
    assert page.asked[0] == "GET /a?b=c HTTP/1.1"
    assert "Host: example.org" in page.asked


def test_a_page_under_another_hosts_name_is_no_answer(page: Page) -> None:
    with pytest.raises(NoAnswer, match="SSLCertVerificationError"):
        asking_pages.ask("https://other.example.com/", PLACE)
    assert page.asked == []


def test_a_name_that_is_none_is_no_answer() -> None:
    with pytest.raises(NoAnswer):
        asking_pages.resolve("x" * 300 + ".example")
    assert "127.0.0.1" in asking_pages.resolve("localhost")
