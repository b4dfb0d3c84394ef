"""An object store that holds the large files of a home (DESIGN §13): S3, or whatever else fsspec has a URL for.

A home says in its ``store.json`` where its files lie; not a variable of the environment, because a scheduler that
lacks the variable would put half of the files elsewhere. Credentials are never in it: they come from where the
store's library looks for them (``AWS_ACCESS_KEY_ID``, ``~/.aws``, a machine's role).

What lives here: the settings, and whole files in and out by key. What does not: which file of a home is where
(``files.py``), and taking a home there and back (``moving.py``).
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from warehouse.errors import CorruptArtefact, FakesmrtError, InvalidConfiguration, StoreUnavailable

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

SETTINGS_FILE = "store.json"
STORED_ROOMS = ("text", "index", "tokens", "models")
MARKER = "fakesmrt-home.json"
"""Says in the store whose files these are."""

ATOMIC_PROTOCOLS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})
"""A file that is put there stands under its name whole or not at all; elsewhere it is renamed."""

SECRETS = frozenset(
    {"key", "secret", "token", "password", "username", "account_key", "sas_token", "connection_string"}
)

DEFAULT_OPTIONS: Mapping[str, Mapping[str, object]] = {
    "s3": {
        # What another process has just written must be seen.
        "use_listings_cache": False,
        "config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}},
    }
}

Json = str | int | float | bool | None


@dataclass(frozen=True)
class StoreSettings:
    """Where the files of a home lie.

    Attributes:
        url: fsspec URL of a folder, without a slash at its end.
        store_id: the same in the home and in the store, so that no other folder is taken for this one.
        options: further arguments of the URL's fsspec filesystem, such as ``endpoint_url``; no secrets.
    """

    url: str
    store_id: str
    options: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for what is no URL or holds a secret."""
        scheme, separator, rest = self.url.partition("://")
        if not separator or not scheme or not rest.strip("/"):
            raise InvalidConfiguration(
                f"{self.url!r} is no URL of an object store", "Give one such as s3://bucket/folder"
            )
        if "@" in rest.partition("/")[0] or SECRETS & self.options.keys():
            raise InvalidConfiguration(
                "A password or key would lie in the home for everyone who copies it",
                "Leave it out and set what the store's library reads, such as AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY",
            )

    @property
    def protocol(self) -> str:
        return self.url.partition("://")[0]

    def to_json(self) -> str:
        """The same as text; `from_json` reads it."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> StoreSettings:
        """What `to_json` wrote.

        Raises:
            ValueError, TypeError: if it is something else.
        """
        values = json.loads(text)
        types = {"url": str, "store_id": str, "options": dict}
        if not isinstance(values, dict) or any(
            not isinstance(values.get(name), kind) for name, kind in types.items()
        ):
            raise ValueError("it is no object with the names url, store_id and options")
        return cls(**values)


class ObjectStore:
    """Whole files in a store, by key: their path in the home, with slashes.

    Every method raises `StoreUnavailable` where the store refuses, is not there, or is another home's.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self.settings = settings
        self.filesystem, self._root = _filesystem(settings)
        self._proved = False

    @property
    def is_folder(self) -> bool:
        """Whether the store is a folder of this machine, perhaps one that others share."""
        return self.settings.protocol in ("file", "local")

    def address(self, key: str) -> str:
        """URL of a file; a path where the store is a folder of this machine."""
        place = self._place(key)
        return place if self.is_folder else self.filesystem.unstrip_protocol(place)

    def _place(self, key: str) -> str:
        return f"{self._root}/{key}"

    def claim(self) -> None:
        """Make the store this home's: put the marker there, unless there is one.

        Raises:
            InvalidConfiguration: if the folder holds the files of another home.
        """
        with self._explaining():
            found = self._marked()
            if found is None:
                self._mark()
                found = self._marked()
        if found != self.settings.store_id:
            raise InvalidConfiguration(
                f"{self.settings.url} holds the files of another home",
                "Name a folder of its own for each home",
            )

    def _prove(self) -> None:
        """Once, before the first use: the marker must be there."""
        if self._proved:
            return
        with self._explaining():
            self._proved = self._marked() == self.settings.store_id
        if not self._proved:
            raise StoreUnavailable(
                f"{self.settings.url} does not hold the files of this home",
                f"Bring the bucket or folder back, or name the right one in the home's {SETTINGS_FILE}",
            )

    def _marked(self) -> str | None:
        try:
            data = self.filesystem.cat_file(self._place(MARKER))
        except FileNotFoundError:
            return None
        except TypeError as error:
            raise InvalidConfiguration(
                f"An option of {self.settings.url} is not known: {error}", "Leave it out"
            ) from error
        try:
            return str(json.loads(data)["store_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptArtefact(
                f"{self.address(MARKER)} is not what fakesmrt wrote", "Name another folder for this home"
            ) from error

    def put(self, local: Path, key: str) -> None:
        """Store a file; who reads meanwhile sees the old one or the new one, never a part."""
        with self._used():
            self._put(local, key)

    def _put(self, local: Path, key: str) -> None:
        place = self._place(key)
        if self.settings.protocol in ATOMIC_PROTOCOLS:
            self.filesystem.put_file(str(local), place)
            return
        folder, _, name = place.rpartition("/")
        self.filesystem.makedirs(folder, exist_ok=True)
        partial = f"{folder}/.{os.getpid()}.{name}"
        try:
            self.filesystem.put_file(str(local), partial)
            if self.is_folder:
                with Path(partial).open("rb") as written:
                    os.fsync(written.fileno())
            self.filesystem.mv(partial, place)
        finally:
            if self.filesystem.isfile(partial):
                self.filesystem.rm_file(partial)

    def _mark(self) -> None:
        # A bucket is an account's business and never made here.
        if self.settings.protocol not in ATOMIC_PROTOCOLS:
            self.filesystem.makedirs(self._root, exist_ok=True)
        text = json.dumps({"store_id": self.settings.store_id})
        self.filesystem.pipe_file(self._place(MARKER), text.encode())

    def get(self, key: str, local: Path) -> None:
        """Copy a file to `local`.

        Raises:
            FileNotFoundError: if there is none.
            CorruptArtefact: if less arrives than there is.
        """
        with self._used(key):
            n_bytes = self.filesystem.info(self._place(key))["size"]
            self.filesystem.get_file(self._place(key), str(local))
        if local.stat().st_size != n_bytes:
            raise CorruptArtefact(
                f"{self.address(key)} arrived in part: {local.stat().st_size} of {n_bytes} bytes",
                "Run the same command again",
            )

    @contextmanager
    def opened(self, key: str) -> Iterator[BinaryIO]:
        """A file for random access: what is read of it is what is transferred.

        Raises:
            FileNotFoundError: if there is none.
        """
        with self._used(key):
            stream = self.filesystem.open(self._place(key), "rb", cache_type="none")
        # What the reader makes of the bytes is not the store's failure; what each read meets is.
        with stream:
            yield cast("BinaryIO", _Stream(stream, self._used))

    def has(self, key: str) -> bool:
        """Whether there is a file of this key."""
        with self._used():
            return bool(self.filesystem.isfile(self._place(key)))

    def sizes(self, folder: str) -> dict[str, int]:
        """Key and bytes of every whole file in a folder and the folders below it."""
        return {key: n_bytes for key, n_bytes in self._listed(folder) if not _is_unfinished(key)}

    def _listed(self, folder: str) -> list[tuple[str, int]]:
        with self._used():
            found = self.filesystem.find(self._place(folder), detail=True)
        return sorted((place[len(self._root) + 1 :], entry["size"]) for place, entry in found.items())

    def unfinished(self) -> list[str]:
        """Keys of files that were never put whole: a process was killed, or works on them now."""
        if self.settings.protocol in ATOMIC_PROTOCOLS:
            return []
        return [key for room in STORED_ROOMS for key, _ in self._listed(room) if _is_unfinished(key)]

    def remove(self, key: str) -> None:
        """Remove a file that may not be there."""
        with self._used():
            if self.filesystem.isfile(self._place(key)):
                self.filesystem.rm_file(self._place(key))

    @contextmanager
    def _used(self, key: str | None = None) -> Iterator[None]:
        """Around what is done to the store; a file `key` that is not there is the caller's business."""
        self._prove()
        with self._explaining(key):
            yield

    @contextmanager
    def _explaining(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if key is None:
                raise _explained(error, self.settings) from error
            raise FileNotFoundError(
                error.errno, "No such file in the object store", self.address(key)
            ) from error
        except _failures() as error:
            raise _explained(error, self.settings) from error


def _is_unfinished(key: str) -> bool:
    return any(part.startswith(".") for part in key.split("/"))


class _Stream(io.RawIOBase):
    """A file of a store whose failing reads name the store."""

    def __init__(self, stream: BinaryIO, used: Callable[[], AbstractContextManager[None]]) -> None:
        self._stream = stream
        self._used = used

    def read(self, size: int = -1) -> bytes:
        with self._used():
            return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _filesystem(settings: StoreSettings) -> tuple[AbstractFileSystem, str]:
    """The fsspec filesystem of a URL, and the path of the URL's folder in it."""
    from fsspec.core import url_to_fs

    options = {**DEFAULT_OPTIONS.get(settings.protocol, {}), **settings.options}
    try:
        filesystem, root = url_to_fs(settings.url, **options)
    except (ImportError, ValueError) as error:
        extra = (
            "pip install 'fakesmrt[s3]'"
            if settings.protocol == "s3"
            else "pip install fsspec's package for it"
        )
        raise InvalidConfiguration(f"{settings.url} cannot be opened: {error}", f"For it: {extra}") from error
    except TypeError as error:
        raise InvalidConfiguration(
            f"An option of {settings.url} is not known: {error}", "Leave it out"
        ) from error
    return filesystem, root.rstrip("/")


def _failures() -> tuple[type[Exception], ...]:
    """What a filesystem raises: the system's errors, and those of Amazon's library where it is in use."""
    amazon = sys.modules.get("botocore.exceptions")
    return (OSError, *((amazon.BotoCoreError, amazon.ClientError) if amazon else ()))


def _explained(error: Exception, settings: StoreSettings) -> FakesmrtError:
    """A failure of the store with its remedy."""
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return StoreUnavailable(
            f"There is no bucket or folder for {settings.url} ({said})", "Make the bucket, or check its name"
        )
    if isinstance(error, PermissionError) or "credentials" in said.lower():
        return StoreUnavailable(
            f"{settings.url} refuses access ({said})",
            "Check the credentials (for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and their rights on the bucket",
        )
    return StoreUnavailable(
        f"{settings.url} does not answer ({said})",
        "Check the network and the store, then run the same command again; what was finished is kept",
    )


def failure_told(message: str) -> StoreUnavailable | None:
    """The failure of a store in what DuckDB says when it cannot read a file of one: a Python traceback."""
    if "Traceback (most recent call last)" not in message:
        return None
    *_, told = (line.strip() for line in message.splitlines() if line.strip())
    return StoreUnavailable(
        f"The object store does not give a file ({told})",
        "Check the store, the credentials for it and the network; fakesmrt doctor names what is missing",
    )


def read_settings(path: Path) -> StoreSettings:
    """The settings in a home's ``store.json``.

    Raises:
        InvalidConfiguration: if it is not what `StoreSettings.to_json` writes.
    """
    try:
        return StoreSettings.from_json(path.read_text())
    except (ValueError, TypeError) as error:
        raise InvalidConfiguration(
            f"{path} does not name an object store: {error}", "Mend the file"
        ) from error


@lru_cache(maxsize=8)
def _open_store(path: Path, _changed_ns: int, _process: int) -> ObjectStore:
    """One connection a process: what fsspec opened before a fork serves the parent alone."""
    return ObjectStore(read_settings(path))


def store_of_home(root: Path) -> ObjectStore | None:
    """The store of the home at `root`; None where its files lie on this machine."""
    path = root / SETTINGS_FILE
    try:
        changed_ns = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _open_store(path, changed_ns, os.getpid())


@dataclass(frozen=True)
class StoredFile:
    """A file of a home that lies in a store, or a folder of such.

    Attributes:
        room: the home's folder that it belongs to, one of `STORED_ROOMS`.
        key: what the store calls it.
    """

    store: ObjectStore
    room: str
    key: str


def stored_file(path: Path) -> StoredFile | None:
    """What `path` is in the store of its home; None where that home has none, or keeps the file to itself.

    Temporary files, whose names begin with a dot, are never stored.
    """
    parts = path.parts
    for depth, room in enumerate(parts):
        if room not in STORED_ROOMS or any(part.startswith(".") for part in parts[depth:]):
            continue
        if store := store_of_home(Path(*parts[:depth])):
            return StoredFile(store, room, "/".join(parts[depth:]))
    return None
