"""The client of ``fakesmrt serve``: the same streams as in-process, from another process or machine.

It imports no database. A stream outlives the server: where the connection is lost, the client tries again and goes on
with the next item.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
from pyarrow import flight

from warehouse.errors import FakesmrtError, InputUnreadable
from warehouse.serving.access import certificate_files, read_secret, secret_file
from warehouse.serving.batches import ChunkBatch, TokenBatch, header_of
from warehouse.serving.errors import from_flight
from warehouse.serving.requests import ChunkRequest, StreamRequest, TokenRequest, to_json

DEFAULT_LOCATION = "grpc://127.0.0.1:8815"
WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 2.0

AnyBatch = TypeVar("AnyBatch", TokenBatch, ChunkBatch)


@dataclass(frozen=True)
class Client:
    """A server to read from. It holds no connection: each stream has its own, so it may go to other processes.

    Attributes:
        location: ``grpc://HOST:PORT`` or, where the server has a certificate, ``grpc+tls://HOST:PORT``.
        secret: what the server asks for; None where it asks for none.
        certificate: PEM of the server's certificate, where it is a self-signed one.
        patience_seconds: how long a stream tries to reach a server that is gone.
    """

    location: str = DEFAULT_LOCATION
    secret: str | None = field(default=None, repr=False)
    certificate: bytes | None = None
    patience_seconds: float = 60.0

    @classmethod
    def of_home(cls, root: Path, location: str = DEFAULT_LOCATION) -> Client:
        """A client with the secret, and for ``grpc+tls`` the certificate, that lie in a home on this machine.

        Raises:
            FakesmrtError: if they cannot be read.
        """
        from warehouse.home import Home

        home = Home(root)
        certificate = certificate_files(home)[0].read_bytes() if location.startswith("grpc+tls:") else None
        return cls(location, read_secret(secret_file(home)), certificate)

    def tokens(self, request: TokenRequest, resume: str | None = None) -> Iterator[TokenBatch]:
        """Sequences of tokens, as `warehouse.serving.source.Source.tokens`.

        Raises:
            FakesmrtError: what the server says; or that it cannot be reached.
        """
        return self._stream(request, resume, TokenBatch)

    def chunks(self, request: ChunkRequest, resume: str | None = None) -> Iterator[ChunkBatch]:
        """Chunks with their text; otherwise as `tokens`."""
        return self._stream(request, resume, ChunkBatch)

    def _stream(
        self, request: StreamRequest, resume: str | None, batch_type: type[AnyBatch]
    ) -> Iterator[AnyBatch]:
        patience = _Patience(self.patience_seconds)
        while True:
            try:
                for batch in self._once(request, resume, batch_type):
                    patience.renew()
                    resume = batch.resume
                    yield batch
            except (
                flight.FlightUnavailableError,
                flight.FlightInternalError,
                flight.FlightCancelledError,
            ) as error:
                patience.spend(self.location, error)
            except flight.FlightError as error:
                raise from_flight(error, self.location) from error
            except pa.ArrowException as error:
                patience.spend(self.location, error)
            else:
                return

    def _once(
        self, request: StreamRequest, resume: str | None, batch_type: type[AnyBatch]
    ) -> Iterator[AnyBatch]:
        """The batches of one connection."""
        headers = [] if self.secret is None else [(b"authorization", f"Bearer {self.secret}".encode())]
        with flight.FlightClient(self.location, tls_root_certs=self.certificate) as connection:
            reader = connection.do_get(
                flight.Ticket(to_json(request, resume)), flight.FlightCallOptions(headers=headers)
            )
            try:
                header = None
                for received in reader:
                    header = header or header_of(reader.schema)
                    yield batch_type.from_arrow(received.data, header)
            finally:
                reader.cancel()


class _Patience:
    """How long to go on trying, and how long to wait before the next attempt."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """The server answers."""
        self._until: float | None = None
        self._wait = WAIT_SECONDS

    def spend(self, location: str, error: Exception) -> None:
        """Wait a little, or raise `InputUnreadable` when there is no patience left."""
        if isinstance(error, flight.FlightError) and error.extra_info:
            raise from_flight(error, location) from error
        if "not in peer certificate" in str(error):
            raise InputUnreadable(
                f"The certificate of the server at {location} does not name that host",
                "Start the server with: fakesmrt serve --make-certificate --name HOST; give its new file to the client",
            ) from error
        if "SSL" in str(error):
            # Trying again would not change a certificate.
            raise InputUnreadable(
                f"The server at {location} does not show the certificate that is expected of it",
                "Give the client the certificate file that fakesmrt serve names",
            ) from error
        now = time.monotonic()
        self._until = self._until or now + self._seconds
        if now + self._wait > self._until:
            raise _unreachable(location, error) from error
        time.sleep(self._wait)
        self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)


def _unreachable(location: str, error: Exception) -> FakesmrtError:
    reason = " ".join(str(error).split())[:200]
    return InputUnreadable(
        f"The server at {location} does not answer ({reason})",
        "Start it with: fakesmrt serve; then go on with the last resume token",
    )
