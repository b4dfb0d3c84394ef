"""A mix is accepted only where it is certainly better than the best member."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fakesmrt_models.evaluation.results import Evaluation
from fakesmrt_models.mixing.acceptance import MixDecision, decide
from warehouse.errors import InvalidConfiguration

BYTES = 1_000


def evaluated(split: str, nats: Mapping[str, NDArray[np.float64]]) -> Evaluation:
    rows = np.stack(list(nats.values()))
    n_documents = rows.shape[1]
    return Evaluation(
        split=split,
        models=tuple(nats),
        corpora=("books",),
        document_ids=np.zeros((n_documents, 16), dtype=np.uint8),
        corpus=np.zeros(n_documents, dtype=np.int64),
        n_bytes=np.full(n_documents, BYTES),
        n_tokens=np.full(n_documents, BYTES // 4),
        nats=rows,
    )


def candidates(mix_gain: float, n_documents: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Two members, the first slightly better, and a mix that gains `mix_gain` nats a document on it."""
    generator = np.random.default_rng(seed)
    best = generator.normal(1_500.0, 200.0, size=n_documents)
    return {
        "best": best,
        "other": best + 20.0,
        "mix": best - mix_gain + generator.normal(0.0, 5.0, size=n_documents),
    }


def decided(mix_gain: float, n_documents: int = 200, on_select: float | None = None) -> MixDecision:
    select_gain = mix_gain if on_select is None else on_select
    return decide(
        ["best", "other"],
        ["mix"],
        evaluated("select", candidates(select_gain, n_documents, seed=1)),
        evaluated("confirm", candidates(mix_gain, n_documents, seed=2)),
        seed=3,
    )


def test_a_truly_better_mix_is_accepted() -> None:
    decision = decided(mix_gain=10.0)
    assert decision.accepted
    assert decision.chosen == "mix"
    assert 0 < decision.confirm_gain_low < decision.confirm_gain
    assert decision.confirm_gain == pytest.approx(10.0 / np.log(2) / BYTES, rel=0.1)


def test_an_equal_mix_that_was_lucky_on_select_is_refused() -> None:
    decision = decided(mix_gain=0.0, on_select=2.0)
    assert not decision.accepted
    assert decision.chosen == "best"
    assert "not certain" in decision.reason


def test_a_worse_mix_is_refused() -> None:
    decision = decided(mix_gain=-10.0)
    assert not decision.accepted
    assert decision.chosen == "best"
    assert decision.confirm_gain_low < 0
    assert "on select" in decision.reason


def test_a_mix_that_only_beats_a_poor_member_is_refused() -> None:
    assert decided(mix_gain=-5.0).best_member == "best"
    assert decided(mix_gain=-5.0).chosen == "best"


def test_a_mix_that_lost_on_select_is_not_rescued_by_confirm() -> None:
    decision = decided(mix_gain=10.0, on_select=-10.0)
    assert decision.confirm_gain_low > 0
    assert not decision.accepted


def test_with_few_documents_nothing_is_accepted_and_the_reason_says_so() -> None:
    decision = decided(mix_gain=50.0, n_documents=9)
    assert not decision.accepted
    assert "9 documents, fewer than the 10" in decision.reason
    assert decided(mix_gain=50.0, n_documents=10).accepted


def test_the_decision_repeats_with_the_seed() -> None:
    assert decided(mix_gain=1.0) == decided(mix_gain=1.0)


@given(seed=st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_only_select_chooses_the_mix(seed: int) -> None:
    generator = np.random.default_rng(seed)
    select = {name: generator.normal(1_500.0, 50.0, size=30) for name in ("a", "b", "soup", "ensemble")}
    confirm = {name: generator.normal(1_500.0, 50.0, size=30) for name in ("a", "b", "soup", "ensemble")}
    decision = decide(
        ["a", "b"], ["soup", "ensemble"], evaluated("select", select), evaluated("confirm", confirm), seed
    )
    assert decision.best_mix == min(("soup", "ensemble"), key=lambda name: select[name].sum())
    assert decision.chosen in (decision.best_member, decision.best_mix)


def test_false_acceptances_are_as_rare_as_promised() -> None:
    """A mix that is no better, and was lucky on select, passes in about 5 % of pools."""
    passed = 0
    for seed in range(200):
        select = candidates(5.0, 60, seed)
        confirm = candidates(0.0, 60, seed + 10_000)
        decision = decide(
            ["best", "other"], ["mix"], evaluated("select", select), evaluated("confirm", confirm), seed
        )
        passed += decision.accepted
    assert passed <= 22  # 99.9 % quantile of Binomial(200, 0.06)


def test_an_empty_split_is_refused_by_name() -> None:
    empty = {name: np.zeros(0) for name in ("best", "other", "mix")}
    full = evaluated("select", candidates(1.0, 20, seed=1))
    with pytest.raises(InvalidConfiguration, match="confirm"):
        decide(["best", "other"], ["mix"], full, evaluated("confirm", empty), seed=0)


def test_nats_that_are_not_finite_are_refused_by_name() -> None:
    broken = candidates(1.0, 20, seed=1)
    broken["other"][3] = np.nan
    with pytest.raises(InvalidConfiguration, match="other"):
        decide(["best", "other"], ["mix"], evaluated("select", broken), evaluated("confirm", broken), seed=0)
