"""Who may read a stream: the secret that both sides know, and the certificate of an encrypted connection.

What lives here: their files. What does not: how they are used (``server.py``, ``client.py``). The word secret stands
for what is commonly called a token, because tokens are something else here.
"""

from __future__ import annotations

import os
import secrets
import socket
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from warehouse.errors import InputUnreadable, InvalidConfiguration
from warehouse.files import sync_folder
from warehouse.home import Home

SECRET_BYTES = 32
LEAST_CHARACTERS = 16
CERTIFICATE_DAYS = 365
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
UNREACHABLE = {"", "0.0.0.0", "::"}  # noqa: S104  # "every address" is none to reach a machine by
FAR_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that no machine has (RFC 5737, RFC 3849): which of its own a machine would send from to them says how
others reach it."""


def serving_folder(home: Home) -> Path:
    """Where a home keeps its secret and its own certificate."""
    return home.root / "serving"


def secret_file(home: Home) -> Path:
    """Where the secret of a home lies."""
    return serving_folder(home) / "secret"


def certificate_files(home: Home) -> tuple[Path, Path]:
    """Where the home's own certificate and its key lie."""
    return serving_folder(home) / "certificate.pem", serving_folder(home) / "key.pem"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def made_secret(home: Home) -> Path:
    """The home's secret, made at random where there is none; the file is its owner's alone."""
    path = secret_file(home)
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(SECRET_BYTES).encode() + b"\n")
    return path


def read_secret(path: Path) -> str:
    """The secret in a file.

    Raises:
        InputUnreadable: if it cannot be read.
        InvalidConfiguration: if others than its owner may read it, or it is too short.
    """
    secret = read_private(path, "secret").decode(errors="replace").strip()
    if len(secret) < LEAST_CHARACTERS or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InvalidConfiguration(
            f"{path} holds no secret of {LEAST_CHARACTERS} or more characters without spaces",
            "Remove the file: fakesmrt serve makes the home's anew",
        )
    return secret


def read_private(path: Path, what: str) -> bytes:
    """A file that nobody but its owner may read.

    Raises:
        InputUnreadable: if it cannot be read.
        InvalidConfiguration: if others may read it.
    """
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise InputUnreadable(
            f"The {what} {path} cannot be read ({error.strerror})", "Check the path"
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise InvalidConfiguration(f"Others may read the {what} {path}", f"Run: chmod 600 {path}")
    return data


def made_certificate(home: Home, host: str, names: Sequence[str] = ()) -> tuple[Path, Path]:
    """A self-signed certificate, and its key; kept while it holds.

    Args:
        home: where they are kept.
        host: the address that is listened on. Beyond loopback the certificate is for the machine's own names and
            addresses too, as far as it knows them.
        names: further names or addresses that clients reach the machine by.

    Returns:
        Paths of the certificate, which clients need, and of its key, which is its owner's alone.

    Raises:
        InvalidConfiguration: if the package cryptography is not installed, or a name is none.
    """
    _require_cryptography()
    certificate, key = certificate_files(home)
    own = () if is_loopback(host) else own_names()
    known = sorted({*LOOPBACK_NAMES, host, *own, *names} - UNREACHABLE)
    if not (certificate.exists() and key.exists() and _holds(certificate, known)):
        certificate_pem, key_pem = _self_signed(known)
        _write_private(key, key_pem)
        _write_private(certificate, certificate_pem)
    return certificate, key


def own_names() -> set[str]:
    """Names and addresses that other machines may know this one by; nothing is sent to find them."""
    names = {socket.gethostname(), socket.getfqdn()}
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        found = []  # its own name is not known to it
    names |= {str(address[0]) for *_, address in found if "%" not in str(address[0])}
    for family, far_away in FAR_AWAY:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far_away, 9))
                names.add(str(probe.getsockname()[0]))
        except OSError:
            continue  # it has no address of this family
    return {name for name in names if name.isascii()}


def _holds(path: Path, names: list[str]) -> bool:
    """Whether a certificate is for all of the names, and for a day more at least."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    stated = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(name.value) for name in stated}
    lasts = certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)
    return lasts and known >= set(names)


def _require_cryptography() -> None:
    if find_spec("cryptography") is None:
        raise InvalidConfiguration(
            "A certificate is made by the package cryptography, which is not installed",
            "Run: pip install 'fakesmrt[tls]', or name a certificate of your own",
        )


def _self_signed(names: list[str]) -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def general_name(name: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ip_address(name))
        except ValueError:
            pass
        try:
            return x509.DNSName(name)
        except ValueError as error:
            raise InvalidConfiguration(
                f"A certificate cannot name {name!r}", "Name a host as in DNS, or an address"
            ) from error

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fakesmrt serve")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that was never readable to others, not even for a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123  # by its descriptor
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
