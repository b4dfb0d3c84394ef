"""The server and its client: the same streams, and refusals in one line. Kills: ``tests/cli/test_serve.py``."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from pyarrow import flight

from warehouse.database import Warehouse
from warehouse.errors import FakesmrtError, InputUnreadable, InvalidConfiguration
from warehouse.serving.access import (
    certificate_files,
    is_loopback,
    made_certificate,
    made_secret,
    read_secret,
    secret_file,
)
from warehouse.serving.client import Client
from warehouse.serving.requests import ChunkRequest, TokenRequest
from warehouse.serving.server import Server
from warehouse.serving.source import Source

SECRET = "a secret for the tests"  # noqa: S105  # of a test
REQUEST = TokenRequest(sequence_length=16, batch_sequences=4)

Start = Callable[..., str]


@pytest.fixture
def start(source: Source) -> Iterator[Start]:
    """Start a server, in place of the one before it; gives its location."""
    running: list[Server] = []

    def start_server(address: str = "grpc://127.0.0.1:0", **options: object) -> str:
        while running:
            running.pop().shutdown()
        running.append(Server(source, address, **{"secret": SECRET, **options}))
        return f"{address.rpartition(':')[0]}:{running[0].port}"

    yield start_server
    while running:
        running.pop().shutdown()


def test_a_client_gets_what_the_source_gives(start: Start, source: Source) -> None:
    client = Client(start(), SECRET)
    for served, own in zip(
        itertools.islice(client.tokens(REQUEST), 200), source.tokens(REQUEST), strict=False
    ):
        assert np.array_equal(served.tokens, own.tokens)
        assert served.resume == own.resume
        assert np.array_equal(served.inputs[:, 1:], served.targets[:, :-1])
    request = ChunkRequest(where="n_words > 100", columns=("n_words", "path", "first_seen_at"))
    batches = list(client.chunks(request))
    assert [batch.rows.to_pylist() for batch in batches] == [
        batch.rows.to_pylist() for batch in source.chunks(request)
    ]
    last = batches[-1].rows.num_rows
    again = list(client.chunks(request, batches[-1].resume_after(last - 3)))
    assert [batch.rows.num_rows for batch in again] == [2]
    assert list(client.chunks(ChunkRequest(where="FALSE"))) == []


@pytest.mark.parametrize("secret", [None, "", "wrong", f"{SECRET} ", "é"])
def test_whoever_does_not_know_the_secret_reads_nothing(start: Start, secret: str | None) -> None:
    client = Client(start(), secret, patience_seconds=0)
    with pytest.raises(FakesmrtError):
        next(client.tokens(REQUEST))
    if secret == "wrong":  # noqa: S105  # of a test
        with pytest.raises(InvalidConfiguration, match="refuses the secret"):
            next(client.tokens(REQUEST))
    with flight.connect(client.location) as plain, pytest.raises(flight.FlightUnauthenticatedError):
        plain.get_flight_info(flight.FlightDescriptor.for_command(b'{"kind": "tokens"}'))


def test_refusals_cross_the_wire_in_one_line(start: Start) -> None:
    client = Client(start(), SECRET)
    token = next(client.tokens(REQUEST)).resume
    for request, resume, says in (
        (TokenRequest(where="EXISTS (FROM corpus.corpus)"), None, "holds a subquery"),
        (TokenRequest(where="n_words < 0"), None, "Nothing is selected"),
        (TokenRequest(version=9), None, "no longer kept"),
        (TokenRequest(where="path::INTEGER = 1"), None, "selection fails"),
        (REQUEST, "no token", "no resume token"),
        (TokenRequest(seed=5), token, "is of seed 0, not of 5"),
    ):
        with pytest.raises(FakesmrtError, match=says) as failed:
            next(client.tokens(request, resume))
        assert "\n" not in str(failed.value)
        assert failed.value.remedy


def test_what_nobody_foresaw_is_one_line_without_its_traceback(
    start: Start, source: Source, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stream(*_: object) -> None:
        raise KeyError("a text that is nobody's business")

    monkeypatch.setattr(source, "stream", stream)
    with pytest.raises(FakesmrtError, match=r"failed on this request \(KeyError\)") as failed:
        next(Client(start(), SECRET).tokens(REQUEST))
    assert "nobody's business" not in f"{failed.value}{failed.value.__cause__}"
    assert "nobody's business" in capfd.readouterr().err


def test_a_ticket_of_another_fakesmrt_is_refused(start: Start) -> None:
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {SECRET}".encode())])
    ticket = flight.Ticket(json.dumps({"format": 2, "kind": "tokens"}).encode())
    with flight.connect(start()) as plain, pytest.raises(flight.FlightServerError, match="format version 2"):
        plain.do_get(ticket, options)


def test_any_flight_client_finds_schema_and_tickets(start: Start, source: Source) -> None:
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {SECRET}".encode())])
    command = json.dumps({"kind": "chunks", "world_size": 2, "columns": ["n_words"]}).encode()
    with flight.connect(start()) as plain:
        info = plain.get_flight_info(flight.FlightDescriptor.for_command(command), options)
        assert info.schema.names == ["chunk_id", "n_words", "text", "position"]
        tables = [plain.do_get(endpoint.ticket, options).read_all() for endpoint in info.endpoints]
        many = flight.FlightDescriptor.for_command(b'{"kind": "tokens", "world_size": 65535}')
        with pytest.raises(flight.FlightServerError, match="are not listed"):
            plain.get_flight_info(many, options)
    found = [row for table in tables for row in table["n_words"].to_pylist()]
    assert sorted(found) == list(range(210))


def test_a_server_that_is_not_there_is_one_line() -> None:
    with pytest.raises(InputUnreadable, match="does not answer"):
        next(Client("grpc://127.0.0.1:1", SECRET, patience_seconds=0).tokens(REQUEST))


def test_an_encrypted_connection_needs_the_certificate(start: Start, served: Warehouse) -> None:
    certificate, key = made_certificate(served.home, "127.0.0.1")
    assert made_certificate(served.home, "127.0.0.1") == (certificate, key)
    made_secret(served.home)
    location = start(
        "grpc+tls://127.0.0.1:0",
        secret=read_secret(secret_file(served.home)),
        certificate=(certificate.read_bytes(), key.read_bytes()),
    )
    assert len(next(Client.of_home(served.home.root, location).tokens(REQUEST)).tokens) == 4
    with pytest.raises(InputUnreadable, match="certificate"):
        next(Client(location, SECRET).tokens(REQUEST))
    before = certificate.read_bytes()
    made_certificate(served.home, "192.0.2.7")
    assert certificate.read_bytes() != before


def test_a_certificate_beyond_loopback_is_for_the_machines_own_names(
    served: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "ship")
    monkeypatch.setattr(socket, "getfqdn", lambda: "ship.example.org")
    found = [
        (socket.AF_INET, 0, 0, "", ("192.0.2.7", 0)),
        (socket.AF_INET6, 0, 0, "", ("fe80::1%1", 0, 0, 1)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    certificate, _ = made_certificate(served.home, "0.0.0.0", ["data.example.org", "192.0.2.8"])  # noqa: S104  # named only
    stated = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions
    names = {str(name.value) for name in stated.get_extension_for_class(x509.SubjectAlternativeName).value}
    assert names >= {"ship", "ship.example.org", "192.0.2.7", "data.example.org", "192.0.2.8", "localhost"}
    assert not names & {"0.0.0.0", "fe80::1%1"}  # noqa: S104  # named only
    with pytest.raises(InvalidConfiguration, match="cannot name 'schön'"):
        made_certificate(served.home, "127.0.0.1", ["schön"])


def test_a_certificate_for_another_host_is_one_line_at_once(start: Start, served: Warehouse) -> None:
    certificate, key = made_certificate(served.home, "127.0.0.1")
    pair = certificate.read_bytes(), key.read_bytes()
    # All of 127.0.0.0/8 is this machine; the certificate names only one address of it.
    location = start("grpc+tls://127.0.0.2:0", certificate=pair)
    elsewhere = Client(location, SECRET, pair[0], patience_seconds=1e9)
    with pytest.raises(InputUnreadable, match="does not name that host"):
        next(elsewhere.tokens(REQUEST))


def test_a_client_does_not_show_its_secret() -> None:
    assert SECRET not in repr(Client(secret=SECRET))


def test_a_secret_is_its_owners_alone(served: Warehouse, tmp_path: Path) -> None:
    path = made_secret(served.home)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(read_secret(path)) > 40
    assert read_secret(made_secret(served.home)) == read_secret(path)
    readable = Path(shutil.copy(path, tmp_path / "readable"))
    readable.chmod(0o640)
    with pytest.raises(InvalidConfiguration, match="chmod 600"):
        read_secret(readable)
    path.write_text("short\n")
    with pytest.raises(InvalidConfiguration, match="no secret of 16"):
        read_secret(path)
    made_certificate(served.home, "localhost")
    assert certificate_files(served.home)[1].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("host", "is_one"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True), ("0.0.0.0", False),  # noqa: S104  # named only

     ("192.168.0.2", False), ("example.org", False), ("::", False)],
)  # fmt: skip
def test_what_is_loopback(host: str, is_one: bool) -> None:
    assert is_loopback(host) is is_one
