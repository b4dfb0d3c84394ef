"""How a failure crosses the wire: its cause and remedy as JSON beside Flight's own message.

What lives here: both directions. What does not: what failed.
"""

from __future__ import annotations

import json

from pyarrow import flight

from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration

KINDS = {
    type_.__name__: type_ for type_ in (FakesmrtError, CorruptArtefact, InputUnreadable, InvalidConfiguration)
}


def to_flight(error: FakesmrtError) -> flight.FlightError:
    """A failure as Flight sends it; a client in any language can show its message."""
    kind = type(error).__name__ if type(error).__name__ in KINDS else FakesmrtError.__name__
    stated = json.dumps({"kind": kind, "cause": error.cause, "remedy": error.remedy})
    return flight.FlightServerError(str(error), extra_info=stated.encode())


def unforeseen(error: Exception) -> flight.FlightError:
    """A failure that nobody foresaw, as Flight sends it: without what only its owner should read."""
    return to_flight(
        FakesmrtError(
            f"The server failed on this request ({type(error).__name__})", "Look at what the server printed"
        )
    )


def from_flight(error: flight.FlightError, location: str) -> FakesmrtError:
    """What Flight raised, in one line."""
    if isinstance(error, flight.FlightUnauthenticatedError):
        return InvalidConfiguration(
            f"The server at {location} refuses the secret",
            "Use the one in the file that fakesmrt serve names",
        )
    try:
        stated = json.loads(error.extra_info)
        return KINDS[stated["kind"]](stated["cause"], stated["remedy"])
    except (ValueError, KeyError, TypeError):
        message = " ".join(str(error).split())
        return FakesmrtError(f"The server at {location} failed: {message[:300]}", "Look at what it printed")
