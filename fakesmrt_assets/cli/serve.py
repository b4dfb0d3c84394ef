"""``fakesmrt serve``: chunks and token batches on demand over Arrow Flight.

What lives here: arguments and refusals. What does not: the server (``warehouse.serving``).
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.errors import FakesmrtError, InputUnreadable, InvalidConfiguration
from warehouse.home import Home, default_home

if TYPE_CHECKING:
    from warehouse.serving.server import Server
    from warehouse.serving.source import Source


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8815,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the secret that clients state, readable to you alone; else the home's own."
        ),
    ] = None,
    no_token: Annotated[bool, typer.Option("--no-token", help="Let everybody read who reaches it.")] = False,
    certificate: Annotated[Path | None, typer.Option(help="Certificate for TLS (PEM), with --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key (PEM), readable to you alone.")] = None,
    make_certificate: Annotated[
        bool, typer.Option("--make-certificate", help="Use TLS with a certificate that signs itself.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A name that clients reach this machine by, for --make-certificate; repeatable."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine without a token or without TLS.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Say where it listens as one JSON object.")
    ] = False,
) -> None:
    """Serve chunks and token batches of the published versions over Arrow Flight, until Ctrl-C.

    Streams are filtered by SQL, weighted, shuffled by a seed, divided among clients, and resumed by a token to the
    exact next item: docs/serving.md. Clients state a token (a secret), which is made at the first start.

    Example: fakesmrt serve

    Example: fakesmrt serve --host 0.0.0.0 --make-certificate --name data.example.org
    """
    from warehouse.serving.access import is_loopback, made_secret, read_secret
    from warehouse.serving.source import Source

    if no_token and token_file is not None:
        raise typer.BadParameter("Give --token-file or --no-token, not both.")
    if (certificate is None) != (key is None) or (make_certificate and certificate is not None):
        raise typer.BadParameter(
            "Give --certificate and --key together, or --make-certificate, or none of them."
        )
    if name and not make_certificate:
        raise typer.BadParameter("--name is for --make-certificate.")
    home = Home(default_home())
    home.require()
    encrypted = make_certificate or certificate is not None
    if not (is_loopback(host) or insecure) and (no_token or not encrypted):
        raise InvalidConfiguration(
            f"Whoever reaches {host}:{port} could read the texts, or the token on its way",
            "Use a token and TLS (--make-certificate), or insist with --insecure",
        )
    secret_path = None if no_token else token_file or made_secret(home)
    secret = None if secret_path is None else read_secret(secret_path)
    certificate_path, pair = _certificate(home, host, name or [], certificate, key, make_certificate)
    source = Source()
    warm = source.warm()
    for recipe, failure in warm.failures.items():
        typer.echo(f"Tokens of the recipe {recipe!r} cannot be served yet: {failure}", err=True)
    facts = {
        "version": warm.version,
        "without_tokens": sorted(warm.failures),
        "token_file": str(secret_path) if secret_path else None,
        "certificate": str(certificate_path) if certificate_path else None,
    }
    server = _listening(source, f"grpc{'+tls' if pair else ''}://{_bracketed(host)}", port, secret, pair)
    _tell(
        {"location": f"grpc{'+tls' if pair else ''}://{_bracketed(host)}:{server.port}", **facts}, json_output
    )
    # The server listens in threads of its own.
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    stopped.wait()
    server.stop()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _certificate(
    home: Home, host: str, names: list[str], certificate: Path | None, key: Path | None, make: bool
) -> tuple[Path | None, tuple[bytes, bytes] | None]:
    """The file that clients need, and the certificate with its key."""
    from warehouse.serving.access import made_certificate, read_private

    if make:
        certificate, key = made_certificate(home, host, names)
    if certificate is None or key is None:
        return None, None
    try:
        return certificate, (certificate.read_bytes(), read_private(key, "key"))
    except OSError as error:
        raise InputUnreadable(
            f"The certificate {certificate} cannot be read ({error.strerror})", "Check the path"
        ) from error


def _listening(
    source: Source, address: str, port: int, secret: str | None, pair: tuple[bytes, bytes] | None
) -> Server:
    # gRPC would print what is said below in its own words, at length.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import pyarrow as pa

    from warehouse.serving.server import Server

    try:
        return Server(source, f"{address}:{port}", secret, pair)
    except (OSError, pa.ArrowException) as error:
        raise FakesmrtError(
            f"Nothing can listen at {address}:{port} ({' '.join(str(error).split())[:200]})",
            f"Try: fakesmrt serve --port {port % 65535 + 1}",
        ) from error


def _tell(facts: dict[str, object], json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps(facts))
        return
    typer.echo(
        f"Version {facts['version']} and what follows it is served at {facts['location']} (stop with Ctrl-C)"
    )
    if facts["token_file"]:
        typer.echo(f"Clients state the token in {facts['token_file']}")
    if facts["certificate"]:
        typer.echo(f"Clients trust the certificate {facts['certificate']}")
