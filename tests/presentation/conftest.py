"""A home whose database holds the example rows, as if the default recipe had made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.perplexity import reference_definition
from warehouse.stages.stage import StageContext


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    home = Home(tmp_path_factory.mktemp("home"))
    warehouse = Warehouse(home)
    warehouse.initialise("salt")
    context = StageContext(warehouse=warehouse)
    chunking_id = recipe_chunking(context)[1]
    rows = Path(__file__).parent.parent / "lineage" / "example_rows.sql"
    with warehouse.write("filling") as connection:
        connection.execute(rows.read_text())
        connection.execute("UPDATE corpus.chunk SET chunking_id = ?", [chunking_id])
        connection.execute("UPDATE corpus.recipe SET chunking_id = ?", [chunking_id])
        connection.execute("UPDATE corpus.repeated_passage SET chunking_id = ?", [chunking_id])
        connection.execute("UPDATE corpus.reference SET definition = ?", [reference_definition(context)])
    return context
