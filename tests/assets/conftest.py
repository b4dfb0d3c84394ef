"""A small home in which everything was materialised, and copies of it to break."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

import dagster as dg
import pytest

from fakesmrt_assets.definitions import build_definitions
from fakesmrt_assets.resources import BuildResource, HomeResource
from warehouse.corpora import Registration, register
from warehouse.database import Warehouse
from warehouse.home import Home

BUILD = BuildResource(steps=2, workers=1)


@dataclasses.dataclass(frozen=True)
class Built:
    """A home, what Dagster knows of it, and the result of the run that made it."""

    warehouse: Warehouse
    corpus: Path
    instance: dg.DagsterInstance
    definitions: dg.Definitions
    first_run: dg.ExecuteInProcessResult

    def materialise(self, job: str = "nightly", *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        """Run a job as the UI would."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=raise_on_error
        )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Python's own documentation topics, from files to a promoted model; for looking only."""
    root = tmp_path_factory.mktemp("built")
    corpus = root / "topics"
    corpus.mkdir()
    for number, (_, text) in enumerate(sorted(topics.items())):
        (corpus / f"{number}.txt").write_text(text)
    warehouse = Warehouse(Home(root / "home"))
    warehouse.initialise("salt")
    with warehouse.write("test") as connection:
        register(connection, Registration("topics", [str(corpus)], "PSF-2.0"))
    definitions = build_definitions({"home": HomeResource(root=str(warehouse.home.root)), "build": BUILD})
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("nightly")
        yield Built(warehouse, corpus, instance, definitions, job.execute_in_process(instance=instance))


@pytest.fixture
def breakable(built: Built, tmp_path: Path) -> Warehouse:
    """A copy of the built home, to be damaged."""
    shutil.copytree(built.warehouse.home.root, tmp_path / "home", symlinks=True)
    return Warehouse(Home(tmp_path / "home"))
