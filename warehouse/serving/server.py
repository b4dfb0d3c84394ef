"""The Arrow Flight server: the streams of ``source.py`` over the wire.

DoGet takes a request as JSON (``requests.py``) and sends its batches, each row with the position behind it.
GetFlightInfo takes one as a command and answers with the schema and a ticket for each rank.

What lives here: Flight's side. What does not: what is streamed.
"""

from __future__ import annotations

import dataclasses
import hmac
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import flight

from warehouse.errors import FakesmrtError, InvalidConfiguration
from warehouse.serving.batches import Batch, with_header
from warehouse.serving.errors import to_flight, unforeseen
from warehouse.serving.requests import from_json, to_json
from warehouse.serving.source import Source

STOP_SECONDS = 2.0
MAX_ENDPOINTS = 1024


class Server(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow has no types
    """Streams of one home to whoever knows the secret."""

    def __init__(
        self,
        source: Source,
        location: str,
        secret: str | None,
        certificate: tuple[bytes, bytes] | None = None,
    ) -> None:
        """Listen.

        Args:
            source: what is streamed.
            location: ``grpc://HOST:PORT``, or ``grpc+tls://`` with a certificate; port 0 takes a free one.
            secret: what clients have to state; None lets everybody read.
            certificate: a certificate and its key, PEM.
        """
        self._source = source
        super().__init__(
            location,
            middleware={} if secret is None else {"secret": _SecretCheck(secret)},
            tls_certificates=[] if certificate is None else [certificate],
        )

    def stop(self) -> None:
        """Stop listening and end what streams can be ended; a client that reads nothing more cannot hold it up."""
        stopping = threading.Thread(target=self.shutdown, daemon=True)
        stopping.start()
        stopping.join(STOP_SECONDS)

    def do_get(self, _context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:
        """The stream that a ticket asks for."""
        with _told():
            request, resume = from_json(ticket.ticket)
            batches = self._source.stream(request, resume)
            # A stream that cannot begin fails here, before anything is sent.
            first = next(batches, None)
            schema = (
                self._source.schema(request)
                if first is None
                else with_header(first.to_arrow().schema, first.header)
            )
        return flight.GeneratorStream(schema, _sent(first, batches))

    def get_flight_info(
        self, _context: flight.ServerCallContext, descriptor: flight.FlightDescriptor
    ) -> flight.FlightInfo:
        """The schema of a request, and a ticket for each rank."""
        with _told():
            request, _ = from_json(descriptor.command or b"")
            if request.world_size > MAX_ENDPOINTS:
                raise InvalidConfiguration(
                    f"Tickets for {request.world_size:,} streams are not listed, only for {MAX_ENDPOINTS:,}",
                    "Write each rank's ticket yourself: docs/serving.md",
                )
            schema = self._source.schema(request)
        ranks = [dataclasses.replace(request, rank=rank) for rank in range(request.world_size)]
        endpoints = [flight.FlightEndpoint(to_json(ranked, None), []) for ranked in ranks]
        return flight.FlightInfo(schema, descriptor, endpoints, -1, -1)


def _sent(first: Batch | None, batches: Iterator[Batch]) -> Iterator[pa.RecordBatch]:
    with _told():
        if first is not None:
            yield first.to_arrow()
            for batch in batches:
                yield batch.to_arrow()


@contextmanager
def _told() -> Iterator[None]:
    """Send failures as one line. What nobody foresaw is printed here: its traceback may hold what a client must not
    read."""
    try:
        yield
    except FakesmrtError as error:
        raise to_flight(error) from None
    except Exception as error:  # noqa: BLE001  # the edge: a client gets one line whatever happens
        traceback.print_exc(file=sys.stderr)
        raise unforeseen(error) from None


class _SecretCheck(flight.ServerMiddlewareFactory):  # type: ignore[misc]  # pyarrow has no types
    """Refuses calls that do not state the secret."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._expected = f"Bearer {secret}".encode()

    def start_call(self, _info: flight.CallInfo, headers: Mapping[str, Sequence[str]]) -> None:
        stated = next(iter(headers.get("authorization", ())), "")
        # In constant time, so that no answer tells how much of it was right.
        if not hmac.compare_digest(stated.encode(), self._expected):
            raise flight.FlightUnauthenticatedError("The secret is missing or wrong")
