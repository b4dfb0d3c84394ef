"""The container formats that there are, and which one a stream is."""

from __future__ import annotations

from warehouse.cleanser.containers.container import Container

CONTAINERS: tuple[Container, ...] = ()


def container_of(head: bytes) -> Container | None:
    """The format of a stream that begins with these bytes; None for no container."""
    return next((container for container in CONTAINERS if container.recognises(head)), None)
