"""The container formats that there are, and which one a stream is."""

from __future__ import annotations

from warehouse.cleanser.containers.bzip2 import BZIP2
from warehouse.cleanser.containers.container import Container
from warehouse.cleanser.containers.gz import GZIP
from warehouse.cleanser.containers.parquet import PARQUET
from warehouse.cleanser.containers.tar import TAR
from warehouse.cleanser.containers.xz import LZMA, XZ
from warehouse.cleanser.containers.zip_archive import ZIP
from warehouse.cleanser.containers.zst import ZSTANDARD

CONTAINERS: tuple[Container, ...] = (GZIP, ZIP, BZIP2, XZ, ZSTANDARD, LZMA, TAR, PARQUET)


def container_of(head: bytes) -> Container | None:
    """The format of a stream that begins with these bytes; None for no container."""
    return next((container for container in CONTAINERS if container.recognises(head)), None)
