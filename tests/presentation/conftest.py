"""A home whose database holds the example rows, as if the default recipe had made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.database import Warehouse
from warehouse.home import Home
from warehouse.recipes import load_recipe
from warehouse.stages.chunk import recipe_chunking
from warehouse.stages.perplexity import reference_definition
from warehouse.stages.stage import StageContext


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    home = Home(tmp_path_factory.mktemp("home"))
    warehouse = Warehouse(home)
    warehouse.initialise("salt")
    recipe = load_recipe(home, "default")
    chunking_id = recipe_chunking(recipe)[1]
    rows = Path(__file__).parent.parent / "lineage" / "example_rows.sql"
    with warehouse.write("filling") as connection:
        connection.execute(rows.read_text())
        connection.execute("UPDATE corpus.chunk SET chunking_id = ?", [chunking_id])
        connection.execute("UPDATE corpus.recipe SET chunking_id = ?", [chunking_id])
        connection.execute("UPDATE corpus.reference SET definition = ?", [reference_definition(recipe)])
    return StageContext(warehouse=warehouse)
