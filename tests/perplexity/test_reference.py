"""A reference from sample to scores, on disk and on the command line."""

from __future__ import annotations

import json
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fakesmrt_assets.cli.score import score
from warehouse.errors import CorruptArtefact, InputUnreadable, InvalidConfiguration
from warehouse.identity import content_id
from warehouse.perplexity.calibration import assign_folds
from warehouse.perplexity.reference import (
    Reference,
    reference_sha256,
    score_texts,
    sequence_nats,
    train_reference,
)
from warehouse.tokens.tokenizer import joined_chunks

FABLE = """A Fox one day spied a beautiful bunch of ripe grapes hanging from a vine trained along the branches
of a tree. The grapes seemed ready to burst with juice, and the Fox's mouth watered as he gazed longingly at
them. The bunch hung from a high branch, and the Fox had to jump for it. The first time he jumped he missed it
by a long way. So he walked off a short distance and took a running leap at it, only to fall short once more.
Again and again he tried, but in vain. Now he sat down and looked at the grapes in disgust. What a fool I am,
he said. Here I am wearing myself out to get a bunch of sour grapes that are not worth gaping for. And off he
walked very, very scornfully."""
TEXTS = [sentence + ". " for sentence in FABLE.split(". ")]
FOLDS = assign_folds([content_id(text) for text in TEXTS], 2, "seed")


DEFINITION = {"seed": "seed"}


def trained(
    folder: Path,
    texts: list[str],
    folds: list[int],
    order: int = 3,
    vocab_size: int = 320,
    n_batches: int = 2,
) -> Reference:
    """Train a reference in `folder`, its working files beside it."""
    return train_reference(
        folder,
        lambda: [texts[i::n_batches] for i in range(n_batches)],
        [fold for i in range(n_batches) for fold in folds[i::n_batches]],
        n_folds=2,
        order=order,
        vocab_size=vocab_size,
        temporary=folder.parent,
        definition=DEFINITION,
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return trained(tmp_path_factory.mktemp("references") / "trained", TEXTS, FOLDS)


@pytest.fixture
def folder(reference: Reference, tmp_path: Path) -> Path:
    reference.save(tmp_path / "pinned", DEFINITION)
    return tmp_path / "pinned"


def test_a_model_has_not_seen_its_own_fold(reference: Reference) -> None:
    own = reference.score(TEXTS, FOLDS)
    other = reference.score(TEXTS, [1 - fold for fold in FOLDS])
    assert 0 < sum(FOLDS) < len(FOLDS)
    assert np.all(own.bits_per_byte > other.bits_per_byte)


def test_scores_add_up_over_tokens_and_bytes(reference: Reference) -> None:
    text = "Der Füchsin schmeckten die Trauben, «grapes», nicht."
    scores = reference.score([text, ""], [1, 0])
    tokens, starts = joined_chunks([reference.tokenizer.encode(text)])
    nats = -reference.models[1].token_log_probabilities(tokens, starts).astype(np.float64).sum()
    assert scores.nats == pytest.approx([nats, 0.0])
    assert scores.n_bytes.tolist() == [len(text.encode()), 0]
    assert scores.n_tokens.tolist() == [len(tokens) - 1, 0]
    assert scores.bits_per_byte[0] == pytest.approx(nats / math.log(2) / len(text.encode()))
    assert scores.perplexity[0] == pytest.approx(math.exp(nats / (len(tokens) - 1)))


def test_chunks_between_empty_chunks_keep_their_own_nats(reference: Reference) -> None:
    encoded = reference.tokenizer.encode_batch(["", TEXTS[0], "", "", TEXTS[1], ""])
    nats, n_tokens = sequence_nats(reference.models[0], *joined_chunks(encoded))
    alone = reference.score(TEXTS[:2], [0, 0])
    assert nats == pytest.approx([0, alone.nats[0], 0, 0, alone.nats[1], 0])
    assert n_tokens.tolist() == [0, alone.n_tokens[0], 0, 0, alone.n_tokens[1], 0]


def test_saved_and_loaded_it_gives_the_same_scores(reference: Reference, folder: Path) -> None:
    loaded = Reference.load(folder)
    assert np.array_equal(loaded.score(TEXTS, FOLDS).nats, reference.score(TEXTS, FOLDS).nats)


def test_texts_in_another_order_and_other_batches_give_the_same_reference(
    reference: Reference, folder: Path
) -> None:
    again = folder.parent / "again"
    trained(again, TEXTS[::-1], FOLDS[::-1], n_batches=5)
    assert reference_sha256(again) == reference_sha256(folder) == reference.save(folder, DEFINITION)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["again", "pinned"]


def test_folds_that_are_not_those_of_the_texts_are_refused(tmp_path: Path) -> None:
    for folds in (FOLDS[1:], [*FOLDS, 0], [2, *FOLDS[1:]]):
        with pytest.raises(InvalidConfiguration, match="folds"):
            trained(tmp_path / "wrong", TEXTS, folds)
    assert not (tmp_path / "wrong" / "reference.json").exists()


def test_workers_score_alike(reference: Reference, folder: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        scores = pool.submit(score_texts, str(folder), TEXTS, FOLDS).result()
    assert np.array_equal(scores.nats, reference.score(TEXTS, FOLDS).nats)


def test_a_corpus_of_one_chunk_has_a_model_that_saw_nothing(tmp_path: Path) -> None:
    reference = trained(tmp_path / "small", ["The fox."], [0], order=5, vocab_size=2048)
    scores = reference.score(["The fox."], [0])
    assert scores.perplexity[0] == pytest.approx(reference.tokenizer.vocab_size - 1)
    assert any("default discounts" in note for note in reference.notes)


def test_a_fold_without_a_model_is_refused(reference: Reference) -> None:
    with pytest.raises(InvalidConfiguration, match="from 0 to 1"):
        reference.score(["a"], [2])
    with pytest.raises(InvalidConfiguration):
        reference.score(["a"], [])


def test_a_reference_with_an_exchanged_part_is_refused(folder: Path) -> None:
    (folder / "fold-1" / "ngram.json").write_bytes((folder / "fold-0" / "ngram.json").read_bytes())
    with pytest.raises(CorruptArtefact, match="fold-1"):
        Reference.load(folder)
    with pytest.raises(InputUnreadable, match=r"reference\.json"):
        Reference.load(folder / "fold-0")


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": 9},
        {"n_folds": "2"},
        {"n_folds": 3},
        {"model_sha256": None},
        {"tokenizer_sha256": "0"},
    ],
)
def test_a_reference_whose_manifest_is_wrong_is_refused(change: dict[str, object], folder: Path) -> None:
    manifest = folder / "reference.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    with pytest.raises(CorruptArtefact):
        Reference.load(folder)


def test_books_of_one_author_are_told_from_word_salad(corpora: Path, tmp_path: Path) -> None:
    text = (corpora / "prose" / "tinyshakespeare").rglob("*.txt")
    plays = next(iter(sorted(text))).read_text(encoding="utf-8")[:200_000]
    chunks = [plays[begin : begin + 2000] for begin in range(0, len(plays), 2000)]
    folds = assign_folds([content_id(chunk) for chunk in chunks], 2, "seed")
    reference = trained(tmp_path / "plays", chunks, folds, order=5, vocab_size=1024)
    scores = reference.score(chunks, folds).bits_per_byte
    salad = reference.score(["".join(sorted(chunk)) for chunk in chunks], folds).bits_per_byte
    assert 1.8 < scores.mean() < 3.0
    assert scores.max() < salad.min()


def _command(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(score)
    result = CliRunner().invoke(app, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.exit_code, result.stdout


def test_the_command_prints_one_object_a_line(reference: Reference, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text(
        json.dumps({"id": "grapes", "text": TEXTS[0], "more": 1})
        + "\n\n"
        + json.dumps({"id": 7, "text": ""})
        + "\n"
    )
    status, output = _command(str(file), "--reference", str(folder), "--json")
    grapes, empty = [json.loads(line) for line in output.splitlines()]
    scores = reference.score(TEXTS[:1], [0])
    assert status == 0
    assert list(grapes) == ["id", "bits_per_byte", "perplexity", "n_tokens", "n_bytes"]
    assert grapes["bits_per_byte"] == pytest.approx(scores.bits_per_byte[0], abs=1e-6)
    assert grapes["n_bytes"] == len(TEXTS[0].encode())
    assert empty == {"id": 7, "bits_per_byte": None, "perplexity": None, "n_tokens": 0, "n_bytes": 0}


@pytest.mark.parametrize(
    "line", ["not json", '{"id": "a"}', '{"text": "a"}', "[1]", '{"id": "a", "text": "\\ud800"}']
)
def test_the_command_names_what_it_cannot_score(line: str, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(InputUnreadable):
        _command(str(file), "--reference", str(folder))


def test_the_command_takes_the_newest_reference_of_the_home(
    reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKESMRT_HOME", str(tmp_path))
    file = tmp_path / "texts.jsonl"
    file.write_text('{"id": "a", "text": "a fox"}\n')
    with pytest.raises(InputUnreadable, match="fakesmrt build corpus"):
        _command(str(file))
    reference.save(tmp_path / "references" / "only")
    assert _command(str(file))[0] == 0
