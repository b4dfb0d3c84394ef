"""From a pool of members to one model that is no worse: try, compare, accept or return the best member.

What lives here: the one loop that all methods share. What a method does stands in ``soups.py`` and
``ensembles.py``, when a mix is accepted in ``acceptance.py``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fakesmrt_models.evaluation.population import evaluate_population
from fakesmrt_models.evaluation.results import Evaluation
from fakesmrt_models.mixing.acceptance import MixDecision, decide
from fakesmrt_models.mixing.ensembles import copy_checkpoint
from fakesmrt_models.mixing.folders import folder_written_whole
from fakesmrt_models.mixing.members import Member, sound_members
from fakesmrt_models.mixing.methods import AUTO, MIXING_METHODS, applicable_methods
from fakesmrt_models.training.model_folder import canonical_json
from warehouse.errors import InvalidConfiguration
from warehouse.files import write_bytes_whole, written_whole
from warehouse.progress import Progress, silent

SPLITS = ("select", "confirm", "report")
EVALUATION_TOKENS = 200_000
"""Budget of BPE tokens a split and member: about ten seconds for a 1mx on two idle cores."""

DECISION_FILE = "mix.json"
DOCUMENTS_FILE = "documents.npz"
FORMAT_VERSION = 1

TRAINED_MODEL = "model"
"""Name of the model folder in the folder of a training."""


@dataclass(frozen=True, eq=False)
class MixResult:
    """What a mix came to.

    Attributes:
        checkpoint: the folder written: a model, or an ensemble.
        method: the mix that was tested: best on *select* among those tried.
        accepted: whether `checkpoint` is that mix; else it is a copy of the best member.
        weights: share of each given member in `checkpoint`, in the order given; a refused member has 0.
        members: name of each sound member, and its folder.
        refused: folders that cannot be mixed, and why.
        decision: the choice on *select* and the test on *confirm*, with every candidate's score.
        select: nats of every candidate in every document; `confirm` and `report` likewise.
        confirm: see `select`.
        report: see `select`; never looked at by the decision.
        seconds: wall time of it all.
    """

    checkpoint: Path
    method: str
    accepted: bool
    weights: tuple[float, ...]
    members: Mapping[str, Path]
    refused: Mapping[Path, str]
    decision: MixDecision
    select: Evaluation
    confirm: Evaluation
    report: Evaluation
    seconds: float

    @property
    def confirm_gain_low(self) -> float:
        """One-sided 95 % lower bound of the mix's gain over the best member, bits per byte."""
        return self.decision.confirm_gain_low

    @property
    def select_bits_per_byte(self) -> float:
        """Of the returned checkpoint on *select*."""
        return self.decision.select_bits_per_byte[self.decision.chosen]


def mix(
    members: Sequence[Path],
    tokens_folder: Path,
    output: Path,
    *,
    method: str = AUTO,
    evaluation_tokens: int | None = EVALUATION_TOKENS,
    seed: int = 0,
    progress: Progress = silent,
) -> MixResult:
    """Mix models, and return the mix only if it beats the best of them.

    Args:
        members: folders of models or of trainings; those that cannot be mixed are left out and named in the
            result.
        tokens_folder: shards of the splits select, confirm and report, and tokenizer.json.
        output: folder to be made: the checkpoint, ``mix.json`` (the decision with every score) and
            ``documents.npz`` (nats of every candidate in every document).
        method: a name of `MIXING_METHODS`, or auto for all that the pool allows.
        evaluation_tokens: budget of BPE tokens a split and member; None measures whole splits.
        seed: of the sample and of the bootstrap.
        progress: told the splits done, with their parts.

    Raises:
        InvalidConfiguration: fewer than two sound members; a method that does not fit; `output` exists.
        InputUnreadable: a split is empty.
    """
    started = time.monotonic()
    _require_distinct(members, output)
    sound, refused = sound_members(members)
    _require_two(sound, refused)
    named = _named(sound)
    methods = applicable_methods(method, sound)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as workplace:
        candidates = dict(named)
        shares = {name: {folder: 1.0} for name, folder in named.items()}
        for name in methods:
            candidates[name] = Path(workplace) / name
            weights = MIXING_METHODS[name].mix(list(named.values()), candidates[name])
            shares[name] = dict(zip(named.values(), weights, strict=True))
        evaluations = _evaluations(candidates, tokens_folder, evaluation_tokens, seed, progress)
        decision = decide(list(named), methods, evaluations["select"], evaluations["confirm"], seed)
        chosen = tuple(shares[decision.chosen].get(folder, 0.0) for folder in members)
        with folder_written_whole(output) as partial:
            copy_checkpoint(candidates[decision.chosen], partial)
            record = _record(decision, sound, named, chosen, refused, evaluations, seed)
            write_bytes_whole(partial / DECISION_FILE, canonical_json(record))
            _write_documents(partial / DOCUMENTS_FILE, evaluations)
    return MixResult(
        checkpoint=output,
        method=decision.best_mix,
        accepted=decision.accepted,
        weights=chosen,
        members=named,
        refused=refused,
        decision=decision,
        select=evaluations["select"],
        confirm=evaluations["confirm"],
        report=evaluations["report"],
        seconds=time.monotonic() - started,
    )


def _require_distinct(members: Sequence[Path], output: Path) -> None:
    if output.exists():
        raise InvalidConfiguration(f"{output} exists already", "Remove it or name another output folder")
    if len(set(members)) < len(members):
        twice = next(folder for folder in members if list(members).count(folder) > 1)
        raise InvalidConfiguration(f"The member {twice} is given twice", "Give each member once")


def _require_two(sound: Sequence[Member], refused: Mapping[Path, str]) -> None:
    if len(sound) >= 2:
        return
    causes = "".join(f"; {cause}" for cause in refused.values())
    raise InvalidConfiguration(
        f"A mix needs at least two sound members, here are {len(sound)}{causes}", "Train more replicates"
    )


def _named(members: Sequence[Member]) -> dict[str, Path]:
    """Folder names where they tell the members apart from each other and from the methods, else paths."""
    names = [_name(member.path) for member in members]
    if len(set(names)) < len(names) or set(names) & {*MIXING_METHODS, AUTO}:
        names = [str(member.path) for member in members]
    return {name: member.path for name, member in zip(names, members, strict=True)}


def _name(path: Path) -> str:
    """Name of a model folder; of the training's folder where the model lies in it under its usual name."""
    return path.parent.name if path.name == TRAINED_MODEL else path.name


def _evaluations(
    candidates: Mapping[str, Path], tokens_folder: Path, max_tokens: int | None, seed: int, progress: Progress
) -> dict[str, Evaluation]:
    evaluations = {}
    for number, split in enumerate(SPLITS):

        def part(done: float, total: float, note: str, number: int = number, split: str = split) -> None:
            progress(
                number + done / max(1.0, total), len(SPLITS), f"{split}: {done:,.0f} of {total:,.0f} {note}"
            )

        evaluations[split] = evaluate_population(
            candidates, tokens_folder, split, max_tokens=max_tokens, seed=seed, progress=part
        )
    return evaluations


def _record(
    decision: MixDecision,
    sound: Sequence[Member],
    named: Mapping[str, Path],
    weights: Sequence[float],
    refused: Mapping[Path, str],
    evaluations: Mapping[str, Evaluation],
    seed: int,
) -> dict[str, Any]:
    report = evaluations["report"]
    return {
        "format_version": FORMAT_VERSION,
        "members": [
            {"name": name, "weights_sha256": member.weights_sha256}
            for name, member in zip(named, sound, strict=True)
        ],
        "refused": {_name(path): cause for path, cause in refused.items()},
        "weights": list(weights),
        "decision": asdict(decision),
        "report_bits_per_byte": {name: report.bits_per_byte(name) for name in report.models},
        "n_documents": {split: evaluation.n_documents for split, evaluation in evaluations.items()},
        "n_bytes": {split: int(evaluation.n_bytes.sum()) for split, evaluation in evaluations.items()},
        "seed": seed,
    }


def _write_documents(path: Path, evaluations: Mapping[str, Evaluation]) -> None:
    """Arrays SPLIT.document_id [n, 16], .corpus [n], .n_bytes [n], .nats [n_candidates, n], and the names."""
    arrays: dict[str, Any] = {}
    for split, evaluation in evaluations.items():
        arrays |= {
            f"{split}.candidates": np.array(evaluation.models),
            f"{split}.corpora": np.array(evaluation.corpora),
            f"{split}.document_id": evaluation.document_ids,
            f"{split}.corpus": evaluation.corpus,
            f"{split}.n_bytes": evaluation.n_bytes,
            f"{split}.nats": evaluation.nats,
        }
    with written_whole(path) as partial:
        np.savez(partial, allow_pickle=False, **arrays)
