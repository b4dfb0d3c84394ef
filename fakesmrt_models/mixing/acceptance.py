"""When a mix is better than its best ingredient: the one decision, as a value.

What lives here: arithmetic on per-document nats. Candidates are all members and all mixes. *Select* chooses
the mix; *confirm*, looked at once, accepts it or not; otherwise the best member is returned unchanged.
Only the one mix chosen on *select* is tested on *confirm*, so no correction for several tests is due (Holm's
for one test is none). The bound is asymptotic: a mix that is truly no better passes in about 5 % of mixes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fakesmrt_models.evaluation.confidence import lower_bound
from fakesmrt_models.evaluation.results import Evaluation, bits_per_byte
from warehouse.errors import InvalidConfiguration


@dataclass(frozen=True)
class AcceptanceRule:
    """Parameters of the decision.

    Attributes:
        confidence: of the one-sided lower bound of the gain.
        min_documents: with fewer *confirm* documents nothing is accepted, because the percentile bound of so
            few values is too high: of ten values with normal errors it is exceeded in about 9 % of cases, of
            five in about 11 %, not in 5 %.
        version: changes when the same evaluations may be decided otherwise.
    """

    confidence: float = 0.95
    min_documents: int = 10
    version: str = "1"


@dataclass(frozen=True)
class MixDecision:
    """What is returned, why, and every score behind it.

    Attributes:
        chosen: name of the candidate to return: the mix if accepted, else the best member.
        accepted: whether a mix is returned.
        reason: one sentence.
        best_member: the member with the lowest bits per byte on *select*.
        best_mix: the mix with the lowest bits per byte on *select*.
        select_bits_per_byte: of every candidate.
        confirm_bits_per_byte: of every candidate.
        confirm_gain: bits per byte of the best member minus those of the best mix, on *confirm*.
        confirm_gain_low: one-sided lower confidence bound of that gain (paired bootstrap over documents).
        n_confirm_documents: documents behind the bound.
        rule: the parameters.
    """

    chosen: str
    accepted: bool
    reason: str
    best_member: str
    best_mix: str
    select_bits_per_byte: Mapping[str, float]
    confirm_bits_per_byte: Mapping[str, float]
    confirm_gain: float
    confirm_gain_low: float
    n_confirm_documents: int
    rule: AcceptanceRule


def decide(
    members: Sequence[str],
    mixes: Sequence[str],
    select: Evaluation,
    confirm: Evaluation,
    seed: int,
    rule: AcceptanceRule = AcceptanceRule(),
) -> MixDecision:
    """Choose on *select*, accept on *confirm*.

    Args:
        members: names of the ingredients in both evaluations; on equal scores the first wins.
        mixes: names of the mixes in both evaluations.
        select: nats of every candidate on the split that chooses.
        confirm: nats of every candidate on the split that accepts.
        seed: of the bootstrap.
        rule: confidence and smallest number of documents.

    Raises:
        InvalidConfiguration: a split is empty, or there is no member or no mix.
    """
    _require_candidates(members, mixes)
    for evaluation in (select, confirm):
        _require_documents(evaluation)
    on_select = {name: select.bits_per_byte(name) for name in [*members, *mixes]}
    on_confirm = {name: confirm.bits_per_byte(name) for name in [*members, *mixes]}
    best_member = min(members, key=on_select.__getitem__)
    best_mix = min(mixes, key=on_select.__getitem__)
    gain_nats = confirm.nats_of(best_member) - confirm.nats_of(best_mix)
    n_bytes = confirm.n_bytes.astype(np.float64)
    gain_low = lower_bound(gain_nats / math.log(2.0), n_bytes, seed, rule.confidence)
    wins_select = on_select[best_mix] < on_select[best_member]
    enough = confirm.n_documents >= rule.min_documents
    accepted = wins_select and enough and gain_low > 0.0
    return MixDecision(
        chosen=best_mix if accepted else best_member,
        accepted=accepted,
        reason=_reason(best_mix, best_member, wins_select, confirm.n_documents, gain_low, rule),
        best_member=best_member,
        best_mix=best_mix,
        select_bits_per_byte=on_select,
        confirm_bits_per_byte=on_confirm,
        confirm_gain=bits_per_byte(float(gain_nats.sum()), float(n_bytes.sum())),
        confirm_gain_low=gain_low,
        n_confirm_documents=confirm.n_documents,
        rule=rule,
    )


def _require_candidates(members: Sequence[str], mixes: Sequence[str]) -> None:
    if not members:
        raise InvalidConfiguration("There is no member to compare a mix with", "Give at least two members")
    if not mixes:
        raise InvalidConfiguration("There is no mix to decide on", "Choose a mixing method")


def _require_documents(evaluation: Evaluation) -> None:
    if evaluation.n_documents == 0:
        raise InvalidConfiguration(
            f"The split {evaluation.split!r} holds no document",
            "Add text: each split takes 2.5 % of the documents",
        )
    for model, nats in zip(evaluation.models, evaluation.nats, strict=True):
        if not np.isfinite(nats).all():
            raise InvalidConfiguration(
                f"{model!r} gives nats that are not finite on {evaluation.split!r}",
                "Leave it out of the pool",
            )


def _reason(
    mix: str, member: str, wins_select: bool, n_documents: int, gain_low: float, rule: AcceptanceRule
) -> str:
    bound = f"one-sided {rule.confidence:.0%} lower bound {gain_low:+.5f} bits per byte"
    if not wins_select:
        return f"{member} is at least as good as {mix} on select"
    if n_documents < rule.min_documents:
        return (
            f"confirm holds {n_documents} documents, fewer than the {rule.min_documents} that a bound needs"
        )
    if gain_low <= 0.0:
        return f"the gain of {mix} over {member} on confirm is not certain ({bound}, {n_documents} documents)"
    return f"{mix} beats {member} on confirm ({bound}, {n_documents} documents)"
