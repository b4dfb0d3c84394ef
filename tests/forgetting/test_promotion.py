"""A promoted model that saw forgotten text gives way to the newest, better or not."""

from __future__ import annotations

import uuid

import pytest

from fakesmrt_assets.stages import promoted_model
from fakesmrt_assets.stages.mixed_model import CheckpointRow
from fakesmrt_assets.stages.promoted_model import PromotedRow
from tests.stages.conftest import context_of
from warehouse.database import Warehouse

OLD, NEW = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.mark.parametrize(
    ("stale", "promotes"), [((OLD,), True), ((), False), ((OLD, NEW), False)], ids=["old", "none", "both"]
)
def test_a_stale_model_gives_way(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, stale: tuple[uuid.UUID, ...], promotes: bool
) -> None:
    (warehouse.home.models / "old").mkdir(parents=True)
    with warehouse.write("test") as connection:
        for checkpoint_id in stale:
            connection.execute("INSERT INTO models.stale_checkpoint VALUES (?, now())", [checkpoint_id])
    monkeypatch.setattr(promoted_model, "_same_tokenizer", lambda *_: True)
    monkeypatch.setattr(
        promoted_model,
        "_compared",
        lambda *_: promoted_model.Verdict(False, "not better by more than chance"),
    )
    candidate = CheckpointRow(NEW, "mixed_model", None, 1, "1mx", 1, 2.0, 1, "new")
    verdict = promoted_model._judge(context_of(warehouse), PromotedRow(OLD, "old", "old"), candidate)
    assert verdict.promote is promotes
    assert ("forgotten" in verdict.reason) is promotes
