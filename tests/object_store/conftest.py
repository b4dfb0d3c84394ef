"""An S3 server on loopback that lives as long as the tests, and homes that keep their files in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from warehouse.home import Home
from warehouse.object_store import SETTINGS_FILE, ObjectStore, StoreSettings

KINDS = ("here", "folder", "s3")
"""Where the files of a home may lie: on its own disk, in a folder that others share, in a bucket."""


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The server's address; every process that the tests start has credentials for it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "tests")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def bucket(s3: str) -> str:
    """An empty bucket."""
    name = f"bucket-{uuid4().hex}"
    boto3.client("s3", endpoint_url=s3, region_name="us-east-1").create_bucket(Bucket=name)
    return name


@pytest.fixture
def options(s3: str) -> dict[str, str]:
    """What a home has to know beside the URL."""
    return {"endpoint_url": s3}


@pytest.fixture(params=KINDS)
def home_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Folders of a home of each kind; there is no database in it."""
    home = Home(tmp_path / "home")
    for folder in home.folders():
        folder.mkdir(parents=True)
    if request.param == "folder":
        _keep_at(home, StoreSettings(f"file://{tmp_path / 'shared'}", "the id"))
    if request.param == "s3":
        bucket, options = request.getfixturevalue("bucket"), request.getfixturevalue("options")
        _keep_at(home, StoreSettings(f"s3://{bucket}/home", "the id", options))
    return home


def _keep_at(home: Home, settings: StoreSettings) -> None:
    ObjectStore(settings).claim()
    (home.root / SETTINGS_FILE).write_text(settings.to_json())
