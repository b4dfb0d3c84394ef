"""The Arrow Flight server: the streams of ``source.py`` over the wire.

DoGet takes a request as JSON (``requests.py``) and sends its batches, each row with the position behind it.
GetFlightInfo takes one as a command and answers with the schema and a ticket for each rank.

What lives here: Flight's side. What does not: what is streamed.
"""

from __future__ import annotations

import dataclasses
import hmac
import threading
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
from pyarrow import flight

from warehouse.errors import FakesmrtError
from warehouse.serving.batches import Batch, with_header
from warehouse.serving.errors import to_flight
from warehouse.serving.requests import from_json, to_json
from warehouse.serving.source import Source

STOP_SECONDS = 2.0


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
        try:
            request, resume = from_json(ticket.ticket)
            batches = self._source.stream(request, resume)
            # A stream that cannot begin fails here, before anything is sent.
            first = next(batches, None)
            schema = (
                self._source.schema(request)
                if first is None
                else with_header(first.to_arrow().schema, first.header)
            )
        except FakesmrtError as error:
            raise to_flight(error) from error
        return flight.GeneratorStream(schema, _sent(first, batches))

    def get_flight_info(
        self, _context: flight.ServerCallContext, descriptor: flight.FlightDescriptor
    ) -> flight.FlightInfo:
        """The schema of a request, and a ticket for each rank."""
        try:
            request, _ = from_json(descriptor.command or b"")
            schema = self._source.schema(request)
        except FakesmrtError as error:
            raise to_flight(error) from error
        ranks = [dataclasses.replace(request, rank=rank) for rank in range(request.world_size)]
        endpoints = [flight.FlightEndpoint(to_json(ranked, None), []) for ranked in ranks]
        return flight.FlightInfo(schema, descriptor, endpoints, -1, -1)


def _sent(first: Batch | None, batches: Iterator[Batch]) -> Iterator[pa.RecordBatch]:
    try:
        if first is not None:
            yield first.to_arrow()
            for batch in batches:
                yield batch.to_arrow()
    except FakesmrtError as error:
        raise to_flight(error) from error


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
