"""The population of micromodels: who is trained how long, with how many threads, side by side or in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakesmrt_assets.stages import micromodel
from fakesmrt_models.training.fleet import Fleet, fleet_of
from fakesmrt_models.training.request import TrainingRequest
from tests.stages.conftest import context_of
from warehouse.database import Warehouse


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    def fleet(n_trainings: int) -> Fleet:
        at_once = min(2, n_trainings)
        return Fleet(n_trainings, at_once, 2 // at_once)

    monkeypatch.setattr(micromodel, "machine_fleet", fleet)


def requests(warehouse: Warehouse, **settings: object) -> dict[int | None, TrainingRequest]:
    folder = next(warehouse.home.tokens.iterdir())
    context = context_of(warehouse, **settings)
    return dict(micromodel.population_requests(context, folder, Path("trunk")))


def seconds(found: dict[int | None, TrainingRequest]) -> float:
    """Wall time of trunk and members on two cores."""
    rounds = -(-(len(found) - 1) // 2)
    return 60 * ((found[None].minutes or 0) + rounds * (found[0].minutes or 0))


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("n_members", [2, 3, 4])
def test_side_by_side_takes_the_time_of_one_after_another(built_corpus: Warehouse, n_members: int) -> None:
    found = requests(built_corpus, replicates=n_members, minutes=4.0)
    assert seconds(found) == pytest.approx(60 * 4.0 * (1 + n_members) / 2)
    assert found[None].threads == 2
    assert {found[number].threads for number in range(n_members)} == {1}


@pytest.mark.usefixtures("two_cores")
def test_steps_are_steps_however_they_are_trained(built_corpus: Warehouse) -> None:
    found = requests(built_corpus, replicates=3, steps=10)
    assert [request.steps for request in found.values()] == [5, 5, 5, 5]


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("budget", [{"minutes": 0.2}, {"steps": 40}])
def test_a_population_is_compiled_where_all_of_it_trains_long_enough(
    built_corpus: Warehouse, budget: dict[str, float]
) -> None:
    """It says so itself: what was compiled before on this machine must not decide."""
    brief = requests(built_corpus, replicates=4, **budget)
    assert brief[0].compiled is False
    together = requests(built_corpus, replicates=40, **budget)
    assert together[0].compiled is True
    assert together[None].compiled is False


def test_another_machine_is_another_version_where_it_trains_otherwise(
    built_corpus: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a build that was stopped would find another training in its folder. Members have one thread on both."""
    context = context_of(built_corpus, replicates=4, minutes=4.0)
    versions, asked = [], []
    for n_cores in (2, 4, 2):
        monkeypatch.setattr(
            micromodel, "machine_fleet", lambda n, n_cores=n_cores: fleet_of(n, n_cores, 1 << 40)
        )
        versions.append(micromodel.version(context).data_version)
        asked.append(requests(built_corpus, replicates=4, minutes=4.0))
    assert {request[0].threads for request in asked} == {1}
    assert asked[0] != asked[1]
    assert versions[0] != versions[1]
    assert versions[0] == versions[2]
