"""``fakesmrt versions``: what is published, and what of it stays."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from fakesmrt_assets.cli.versions import versions
from warehouse.database import Warehouse
from warehouse.errors import InputUnreadable
from warehouse.publishing import publish


@pytest.fixture
def published(warehouse: Warehouse) -> Warehouse:
    """A home with one published version."""
    with warehouse.write("test") as connection:
        connection.execute(
            "INSERT INTO meta.materialization VALUES ('asset', '', 'r', 'c', 'd', '{}', 0, 0, 0, now())"
        )
    publish(warehouse)
    return warehouse


def test_a_version_is_listed_pinned_and_let_go(published: Warehouse) -> None:
    run = CliRunner().invoke
    assert "1: " in run(versions, ["list"]).output
    assert "stays" in run(versions, ["pin", "1", "--reason", "figure 3 of the paper"]).output
    assert "figure 3 of the paper" in run(versions, ["list"]).output
    [version] = [json.loads(line) for line in run(versions, ["list", "--json"]).output.splitlines()]
    assert (version["number"], version["is_newest"], version["pin"]["why"]) == (
        1,
        True,
        "figure 3 of the paper",
    )
    assert (published.home.published_versions / "1.pin").is_file()
    assert "pinned no more" in run(versions, ["unpin", "1"]).output
    assert "was not pinned" in run(versions, ["unpin", "1"]).output


def test_a_version_that_is_not_there_is_one_line(published: Warehouse) -> None:
    error = CliRunner().invoke(versions, ["pin", "7"]).exception
    assert isinstance(error, InputUnreadable)
    assert "no published version 7" in str(error)


def test_nothing_published_yet_is_said(warehouse: Warehouse) -> None:
    assert "fakesmrt build" in CliRunner().invoke(versions, ["list"]).output
