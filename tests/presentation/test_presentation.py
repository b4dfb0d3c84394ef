"""What Dagster is told of a materialisation."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import dagster as dg
import pytest

from fakesmrt_assets import presentation
from warehouse.stages.stage import ASSETS, StageContext, StageReport


def report(asset: str, **values: Any) -> StageReport:
    return StageReport(asset, "data", "code", up_to_date=False, n_rows=7, seconds=1.25, **values)


@pytest.fixture(scope="module")
def metadata(context: StageContext) -> dict[str, dict[str, Any]]:
    """What Dagster is told of each asset."""
    return {asset: presentation.stage_metadata(context, report(asset)) for asset in ASSETS}


@pytest.fixture(scope="module")
def columns(context: StageContext) -> dict[str, set[str]]:
    """The columns of each table and view, by ``schema.table``."""
    with context.warehouse.read() as connection:
        sql = "SELECT schema_name || '.' || table_name, list(column_name) FROM duckdb_columns() GROUP BY 1"
        return {table: set(names) for table, names in connection.execute(sql).fetchall()}


@pytest.mark.parametrize("asset", ASSETS)
def test_every_asset_has_metadata_that_dagster_takes(metadata: dict[str, dict[str, Any]], asset: str) -> None:
    values = metadata[asset]
    assert values["dagster/row_count"] == dg.MetadataValue.int(7)
    assert values["fakesmrt/wall_time_s"] == dg.MetadataValue.float(1.25)
    assert ("dagster/table_name" in values) == (asset in presentation.TABLES)
    dg.AssetMaterialization(asset_key=asset.split("/"), metadata=values)


def test_column_descriptions_are_those_of_the_database(
    metadata: dict[str, dict[str, Any]], columns: dict[str, set[str]]
) -> None:
    schema = metadata["corpus/chunk"]["dagster/column_schema"].value
    described = {column.name: column for column in schema.columns}
    assert described["n_bytes"].type == "INTEGER"
    assert "UTF-8" in described["n_bytes"].description
    assert described.keys() == columns["corpus.chunk"]


def test_column_lineage_names_only_columns_that_exist(columns: dict[str, set[str]]) -> None:
    for asset, lineage in presentation.COLUMN_LINEAGE.items():
        assert lineage.keys() <= columns[presentation.TABLES[asset]]
        for source in (source for sources in lineage.values() for source in sources):
            upstream, column = source.split(".")
            assert column in columns[presentation.TABLES[upstream]], f"{asset} is said to come from {source}"


def test_every_picture_of_an_asset_is_small_and_inline(metadata: dict[str, dict[str, Any]]) -> None:
    for asset, pictures in presentation.PICTURES.items():
        for picture in pictures:
            markdown = metadata[asset][f"fakesmrt/{picture.name}"].value
            png = base64.b64decode(markdown.removeprefix("![](data:image/png;base64,").removesuffix(")"))
            assert png.startswith(b"\x89PNG")
            assert len(png) < 60_000, f"{asset}: {picture.name}"


def test_before_any_model_there_are_no_pictures_of_models(context: StageContext) -> None:
    subject = presentation.Subject(presentation.RecipeScope("other", uuid.UUID(int=1), None, 0.8), None)
    with context.warehouse.read() as connection:
        for pictures in presentation.PICTURES.values():
            for picture in pictures:
                assert not picture.read(connection, subject) or picture.name == "chunk_lengths"


def test_counts_and_problems_are_shown_and_problems_end(context: StageContext) -> None:
    problems = tuple(f"/texts/{number}`\n.txt: broken" for number in range(60))
    counts = {"n_files_read": 3, "clean_text_bytes": 1.5, "reference": "ngram/1"}
    values = presentation.stage_metadata(context, report("corpus/document", counts=counts, problems=problems))
    assert values["fakesmrt/n_files_read"] == dg.MetadataValue.int(3)
    assert values["fakesmrt/clean_text_bytes"] == dg.MetadataValue.float(1.5)
    assert values["fakesmrt/reference"] == dg.MetadataValue.text("ngram/1")
    assert "and 10 more" in str(values["fakesmrt/problems"].value)
    assert len(str(values["fakesmrt/problems"].value).splitlines()) == 51
