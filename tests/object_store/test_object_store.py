"""A store that refuses, is not there, or is another home's is named in one line, and nothing is lost."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from warehouse import files
from warehouse.database import Warehouse
from warehouse.errors import InvalidConfiguration, StoreUnavailable
from warehouse.home import Home
from warehouse.object_store import SETTINGS_FILE, ObjectStore, StoreSettings, store_of_home


def test_settings_come_back_from_their_file() -> None:
    settings = StoreSettings(
        "s3://bucket/home", "id", {"endpoint_url": "http://127.0.0.1:9000", "anon": False}
    )
    assert StoreSettings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("bucket/home", {}),
        ("s3://", {}),
        ("s3://user:word@bucket/home", {}),
        ("s3://bucket/home", {"secret": "word"}),
    ],
)
def test_no_url_and_no_secret_is_taken(url: str, options: dict[str, str]) -> None:
    with pytest.raises(InvalidConfiguration):
        StoreSettings(url, "id", options)


@pytest.mark.parametrize("text", ["", "[]", '{"url": "s3://b/h"}', '{"url": 3, "store_id": "x"}'])
def test_damaged_settings_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(InvalidConfiguration, match=SETTINGS_FILE):
        store_of_home(tmp_path)


def refusal(settings: StoreSettings) -> str:
    with pytest.raises((StoreUnavailable, InvalidConfiguration)) as refused:
        ObjectStore(settings).claim()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_is_wrong_with_a_store_is_said(bucket: str, options: dict[str, str]) -> None:
    ObjectStore(StoreSettings(f"s3://{bucket}/home", "mine", options)).claim()
    assert "another home" in refusal(StoreSettings(f"s3://{bucket}/home", "yours", options))
    assert "Make the bucket" in refusal(StoreSettings("s3://no-such-bucket/home", "mine", options))
    assert "not known" in refusal(StoreSettings(f"s3://{bucket}/home", "mine", {**options, "colour": "blue"}))
    assert "nfs9" in refusal(StoreSettings("nfs9://server/home", "mine"))
    nowhere = {"endpoint_url": f"http://127.0.0.1:{_closed_port()}"}
    assert "does not answer" in refusal(StoreSettings(f"s3://{bucket}/home", "mine", nowhere))


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_wrong_credentials_are_said(
    bucket: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # From the first request on the server asks for the keys of a user that it knows.
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
    monkeypatch.setattr("moto.core.authorization.ActionAuthenticatorMixin.request_count", 0)
    assert "Check the credentials" in refusal(StoreSettings(f"s3://{bucket}/wrong", "mine", options))


def test_an_emptied_store_is_not_taken_for_this_homes(tmp_path: Path) -> None:
    home, shared = Home(tmp_path / "home"), tmp_path / "shared"
    home.root.mkdir()
    settings = StoreSettings(f"file://{shared}", "mine")
    ObjectStore(settings).claim()
    (home.root / SETTINGS_FILE).write_text(settings.to_json())
    next(shared.iterdir()).unlink()
    with pytest.raises(StoreUnavailable, match="does not hold the files of this home"):
        files.exists(home.text / "a.parquet")


def test_a_lost_connection_is_said_and_nothing_is_lost(tmp_path: Path, s3: str) -> None:
    home = Home(tmp_path / "home")
    home.text.mkdir(parents=True)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="lost-connection")
    settings = StoreSettings("s3://lost-connection/home", "mine", {"endpoint_url": address})
    ObjectStore(settings).claim()
    (home.root / SETTINGS_FILE).write_text(settings.to_json())
    files.write_bytes_whole(home.text / "a.parquet", b"stored")
    server.stop()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        files.write_bytes_whole(home.text / "b.parquet", b"not stored")
    assert list(home.text.iterdir()) == []
    # The server that all tests share has the same buckets.
    (home.root / SETTINGS_FILE).write_text(
        json.dumps(json.loads(settings.to_json()) | {"options": {"endpoint_url": s3}})
    )
    assert files.names(home.text) == ["a.parquet"]


def test_what_was_put_in_part_is_no_file_and_goes(tmp_path: Path) -> None:
    home, shared = Home(tmp_path / "home"), tmp_path / "shared"
    home.text.mkdir(parents=True)
    settings = StoreSettings(f"file://{shared}", "mine")
    ObjectStore(settings).claim()
    (home.root / SETTINGS_FILE).write_text(settings.to_json())
    files.write_bytes_whole(home.text / "a.parquet", b"whole")
    (shared / "text" / ".99999999.b.parquet").write_bytes(b"in part")
    assert files.names(home.text) == ["a.parquet"]
    assert files.remove_unfinished(home.root) == ["text/.99999999.b.parquet"]
    assert [path.name for path in (shared / "text").iterdir()] == ["a.parquet"]


def test_a_store_that_fails_inside_the_database_is_one_line(warehouse: Warehouse, s3: str) -> None:
    nowhere = {"endpoint_url": f"http://127.0.0.1:{_closed_port()}"}
    settings = StoreSettings("s3://bucket/home", "mine", nowhere)
    (warehouse.home.root / SETTINGS_FILE).write_text(settings.to_json())
    with pytest.raises(StoreUnavailable) as failed, warehouse.scratch() as connection:
        connection.execute("FROM read_parquet('s3://bucket/home/text/a.parquet')")
    assert "\n" not in str(failed.value)
    assert "does not give a file" in str(failed.value)
