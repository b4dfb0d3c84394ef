"""The view corpus.training_chunk: what a recipe keeps follows from stored columns."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from uuid import UUID

import pytest

from tests.stages.decision_rows import PLAIN, Corpus
from warehouse.database import Warehouse
from warehouse.recipes import (
    CorpusChoice,
    DecontaminationRules,
    DuplicateRules,
    LanguageRules,
    LicenceChoice,
    PassageRules,
    PerplexityRules,
    QualityRules,
    RehydrationRules,
)


@pytest.fixture
def corpus(warehouse: Warehouse, tmp_path: Path) -> Corpus:
    """An empty corpus in an open transaction."""
    with warehouse.write("test") as connection:
        yield Corpus(connection)


def test_the_first_rule_that_a_chunk_fails_is_its_reason(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters)
    corpus.add_chunk(2, letters, n_words=2, letter_share=0.1)
    corpus.add_chunk(3, letters, letter_share=0.1)
    corpus.add_chunk(4, letters, n_replaced=50)
    corpus.add_chunk(5, letters, n_characters=20)
    reasons = corpus.decide(dataclasses.replace(PLAIN, quality=QualityRules(min_characters=30)))
    assert reasons == {
        1: None,
        2: "too_few_words",
        3: "letter_share",
        4: "replaced_characters",
        5: "too_few_characters",
    }


def test_a_licence_or_corpus_that_the_recipe_leaves_out_is_dropped(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters", "CC0-1.0"))
    corpus.add_chunk(2, corpus.add_source("diaries", "GPL-3.0-only"))
    corpus.add_chunk(3, corpus.add_source("silent", "CC0-1.0", weight=0.0))
    licences = dataclasses.replace(PLAIN, licences=LicenceChoice(("CC0-1.0",)))
    assert corpus.decide(licences) == {1: None, 2: "licence_not_allowed", 3: "corpus_not_included"}
    included = dataclasses.replace(PLAIN, name="included", corpora=CorpusChoice(("diaries",)))
    assert corpus.decide(included)[1] == "corpus_not_included"


def test_a_recipe_s_weight_is_a_factor_on_the_corpus_s_own_and_zero_leaves_it_out(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters", weight=2.0))
    corpus.add_chunk(2, corpus.add_source("drafts", weight=2.0))
    weighted = dataclasses.replace(PLAIN, corpora=CorpusChoice(weights={"letters": 5.0, "drafts": 0.0}))
    assert corpus.decide(weighted) == {1: None, 2: "corpus_not_included"}
    weights = corpus.connection.execute("SELECT weight FROM corpus.training_chunk WHERE kept").fetchall()
    assert weights == [(10.0,)]


def test_keepers_are_chosen_by_each_criterion_and_ties_by_the_smallest_id(corpus: Corpus) -> None:
    light, heavy = corpus.add_source("light"), corpus.add_source("heavy", weight=2.0)
    old = corpus.add_source("old", first_seen_at="2020-01-01")
    corpus.add_chunk(1, light)
    corpus.add_chunk(2, light)  # The centre.
    corpus.add_chunk(3, heavy, n_replaced=1)
    corpus.add_chunk(4, light, n_characters=300, n_replaced=1)
    corpus.add_chunk(5, old, repair='{"errors": "strict", "steps": [["x"]], "counts": {"x": 3, "y": 1}}')
    corpus.add_chunk(6, light, n_replaced=1)
    corpus.score(6, 0.5)
    corpus.cluster(2, 1, 3, 4, 5, 6)
    assert corpus.keepers() == {1}
    assert corpus.keepers("corpus") == {3}
    assert corpus.keepers("quality") == {1}
    assert corpus.keepers("perplexity") == {6}
    assert corpus.keepers("length") == {4}
    assert corpus.keepers("centre") == {2}
    assert corpus.keepers("age") == {5}


def test_criteria_decide_in_the_order_in_which_they_are_listed(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    repaired = '{"errors": "strict", "steps": [["x"]], "counts": {"x": %d}}'
    corpus.add_chunk(1, letters, n_characters=300, n_replaced=1)
    corpus.add_chunk(2, letters, n_characters=200, repair=repaired % 9)
    corpus.add_chunk(3, letters, n_characters=100, repair=repaired % 2)
    corpus.cluster(1, 2, 3)
    assert corpus.keepers("length", "quality") == {1}
    assert corpus.keepers("quality", "length") == {3}
    assert corpus.keepers("corpus", "quality") == {3}


def test_the_keeper_is_chosen_among_those_that_pass_every_other_rule(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters, n_characters=900, letter_share=0.1)
    corpus.add_chunk(2, letters, n_characters=100)
    corpus.add_chunk(3, letters, n_characters=50)
    corpus.cluster(1, 2, 3)
    assert corpus.decide(PLAIN) == {1: "letter_share", 2: None, 3: "duplicate"}
    assert corpus.column(PLAIN, "keeper_id") == {1: UUID(int=2), 2: UUID(int=2), 3: UUID(int=2)}


def test_a_level_says_what_counts_as_the_same(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters, n_characters=200)
    for number in (2, 3):
        corpus.add_chunk(number, letters, text_sha256=b"twins")
    corpus.cluster(1, 2, 3)
    exact = dataclasses.replace(PLAIN, duplicates=DuplicateRules(level="exact"))
    none = dataclasses.replace(PLAIN, duplicates=DuplicateRules(level="none"))
    assert corpus.decide(PLAIN) == {1: None, 2: "duplicate", 3: "duplicate"}
    assert corpus.decide(exact) == {1: None, 2: None, 3: "duplicate"}
    assert corpus.decide(none) == {1: None, 2: None, 3: None}


@pytest.mark.parametrize("level", ["near", "exact", "none"])
def test_no_level_lets_training_text_resemble_held_out_text(corpus: Corpus, level: str) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters)
    corpus.add_chunk(2, letters, split="report")
    corpus.add_chunk(3, letters, split="report")
    corpus.add_chunk(4, letters)
    corpus.cluster(1, 2)
    corpus.link(3, 4)
    recipe = dataclasses.replace(PLAIN, duplicates=DuplicateRules(level=level))
    assert corpus.decide(recipe) == {1: "near_held_out", 2: None, 3: None, 4: "near_held_out"}


def test_a_keeper_counts_as_often_as_the_largest_size_that_its_cluster_reaches(corpus: Corpus) -> None:
    letters, gone = corpus.add_source("letters", weight=2.0), corpus.add_source("gone")
    for number in range(1, 8):
        corpus.add_chunk(number, letters if number != 4 else gone)
    corpus.cluster(1, 2, 3, 4)
    corpus.cluster(5, 6)
    corpus.connection.execute("UPDATE corpus.source_file SET retired_at = now() WHERE corpus = 'gone'")
    recipe = dataclasses.replace(PLAIN, rehydration=RehydrationRules({"3": 3.0, "2": 1.5, "10": 8.0}))
    weights = corpus.column(recipe, "weight")
    # The retired copy does not count, so the first cluster has three; a single text has the weight of its corpus.
    assert (weights[1], weights[5], weights[7]) == (6.0, 3.0, 2.0)
    singles = dataclasses.replace(PLAIN, rehydration=RehydrationRules({"1": 0.5, "4": 9.0}))
    weights = corpus.column(singles, "weight")
    assert (weights[1], weights[5], weights[7]) == (1.0, 1.0, 1.0)


def test_a_chunk_of_which_too_much_is_repeated_is_dropped(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    for number in range(1, 9):
        corpus.add_chunk(number, letters)
    corpus.repeat(1, 50)
    corpus.repeat(2, 51)
    corpus.repeat(3, 90, n_documents=9)
    corpus.repeat(4, 90, is_first=True)
    corpus.repeat(5, 90, level="line", paragraph_documents=1)
    corpus.repeat(6, 30)  # The line stands in the paragraph and goes with it.
    corpus.repeat(6, 30, level="line", n_documents=20, paragraph_documents=10)
    corpus.repeat(7, 30)
    corpus.repeat(7, 30, level="line", paragraph_documents=1)

    def dropped(**rules: object) -> set[int]:
        recipe = dataclasses.replace(PLAIN, passages=PassageRules(**rules))  # type: ignore[arg-type]  # the test's own
        reasons = corpus.decide(recipe)
        assert set(reasons.values()) <= {None, "repeated_passages"}
        return {number for number, reason in reasons.items() if reason}

    assert dropped() == {2, 5, 7}
    assert dropped(keep_first=False) == {2, 4, 5, 7}
    assert dropped(min_documents=9) == {2, 3, 5, 7}
    assert dropped(remove=("paragraph",)) == {2}
    assert dropped(remove=("line",)) == {5}
    assert dropped(remove=()) == set()
    assert dropped(max_share=0.95) == set()


def test_a_chunk_that_holds_an_evaluation_item_is_dropped(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    for number in range(1, 8):
        corpus.add_chunk(
            number, letters, split="report" if number == 6 else "train", n_words=1 if number == 7 else 20
        )
    corpus.contaminate(1, "ngram_overlap", 0.3)
    corpus.contaminate(2, "near_duplicate", 0.8)
    corpus.contaminate(3, "near_duplicate", 0.7)
    corpus.contaminate(4, "ngram_overlap", 1.0, "riddles")
    corpus.contaminate(5, "ngram_overlap", 1.0, counts=False)
    corpus.contaminate(6, "near_duplicate", 0.9)
    corpus.contaminate(7, "near_duplicate", 0.9)

    def reasons(**rules: object) -> dict[int, str]:
        chosen = DecontaminationRules(**{"min_score": 0.8, **rules})  # type: ignore[arg-type]  # the test's own
        decided = corpus.decide(dataclasses.replace(PLAIN, decontamination=chosen))
        return {number: reason for number, reason in decided.items() if reason}

    overlap, near = "evaluation_overlap", "evaluation_near_duplicate"
    assert reasons() == {1: overlap, 2: near, 4: overlap, 6: near, 7: near}
    assert reasons(min_score=0.7)[3] == near
    assert 4 not in reasons(evaluation_sets=("questions",))
    assert reasons(rules=("near_duplicate",)) == {2: near, 6: near, 7: near}


def test_training_text_that_holds_a_part_of_a_held_out_text_is_dropped(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    for number in (1, 3, 4):
        corpus.add_chunk(number, letters)
    corpus.add_chunk(2, letters, split="validation")
    corpus.add_chunk(5, letters, split="validation", n_words=1)
    for number, score, held_out in ((1, 0.6, 2), (3, 0.5, 2), (4, 1.0, 5)):
        corpus.contaminate(number, "near_duplicate", score, "held_out", item=held_out)
    strict = DecontaminationRules(rules=(), held_out_share=0.4)
    none = DecontaminationRules(held_out_share=1.0)
    # Nothing is measured on the fifth, which a rule drops.
    assert corpus.decide(PLAIN) == {1: "held_out_overlap", 2: None, 3: None, 4: None, 5: "too_few_words"}
    assert corpus.decide(dataclasses.replace(PLAIN, decontamination=strict))[3] == "held_out_overlap"
    assert corpus.decide(dataclasses.replace(PLAIN, decontamination=none))[1] is None


def test_an_excluded_corpus_never_makes_text_vanish(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("excluded"))
    corpus.add_chunk(2, corpus.add_source("letters"))
    corpus.cluster(1, 2)
    recipe = dataclasses.replace(PLAIN, corpora=CorpusChoice(("letters",)))
    assert corpus.decide(recipe) == {1: "corpus_not_included", 2: None}


def test_text_to_train_on_gives_way_to_its_likeness_in_a_held_out_split(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters)
    corpus.add_chunk(2, letters, split="report")
    corpus.cluster(1, 2)
    assert corpus.decide(PLAIN) == {1: "near_held_out", 2: None}


def test_no_two_kept_chunks_are_alike_even_where_a_centre_was_dropped(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters)
    corpus.add_chunk(2, letters, n_words=1)  # The centre fails a rule.
    corpus.add_chunk(3, letters)
    corpus.cluster(2, 1)
    corpus.link(1, 3)
    reasons = corpus.decide(PLAIN)
    assert reasons[2] == "too_few_words"
    assert sorted([str(reasons[1]), str(reasons[3])]) == ["None", "duplicate"]


def test_held_out_text_wins_between_clusters_too(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    corpus.add_chunk(1, letters, n_characters=5000)
    corpus.add_chunk(3, letters, split="confirm")
    corpus.link(1, 3)
    assert corpus.decide(PLAIN) == {1: "near_held_out", 3: None}


def test_chunks_outside_the_percentiles_are_dropped_and_the_others_have_buckets(corpus: Corpus) -> None:
    letters = corpus.add_source("letters")
    for number, percentile in ((1, 0.1), (2, 0.3), (3, 0.6), (4, 0.9), (5, 0.95)):
        corpus.add_chunk(number, letters)
        corpus.score(number, 1.0, in_corpus=percentile, in_language=1 - percentile)
    rules = PerplexityRules(max_percentile=0.9, min_percentile=0.2)
    recipe = dataclasses.replace(PLAIN, perplexity=rules)
    assert corpus.decide(recipe) == {1: "perplexity", 2: None, 3: None, 4: None, 5: "perplexity"}
    assert corpus.column(recipe, "bucket") == {1: "head", 2: "middle", 3: "tail", 4: "tail", 5: "tail"}
    by_language = dataclasses.replace(PLAIN, perplexity=dataclasses.replace(rules, within="language"))
    assert corpus.decide(by_language) == {1: None, 2: None, 3: None, 4: "perplexity", 5: "perplexity"}
    assert corpus.column(by_language, "bucket")[1] == "tail"
    assert corpus.column(recipe, "n_tokens") == dict.fromkeys(range(1, 6), 7)


def test_a_corpus_may_have_its_own_percentile_and_else_a_language(corpus: Corpus) -> None:
    for number, (name, language) in enumerate((("a", "en"), ("b", "de"), ("c", "de")), start=1):
        corpus.add_chunk(number, corpus.add_source(name, language=language))
        corpus.score(number, 1.0, in_corpus=0.5)
    rules = PerplexityRules(
        max_percentile=0.6, max_percentile_by_corpus={"c": 0.7}, max_percentile_by_language={"de": 0.4}
    )
    recipe = dataclasses.replace(PLAIN, perplexity=rules)
    assert corpus.decide(recipe) == {1: None, 2: "perplexity", 3: None}


def test_a_chunk_without_a_score_is_kept_and_says_so(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"))
    assert corpus.decide(PLAIN) == {1: None}
    assert corpus.connection.execute("SELECT bucket FROM corpus.training_chunk").fetchall() == [("unscored",)]


def test_a_rule_on_language_needs_the_score_too(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"))
    english = dataclasses.replace(PLAIN, language=LanguageRules(("en",), 0.5))
    sure = dataclasses.replace(PLAIN, name="sure", language=LanguageRules(("en",), 0.95))
    assert corpus.decide(english) == {1: None}
    assert corpus.decide(sure) == {1: "language"}
    any_sure = dataclasses.replace(PLAIN, name="any", language=LanguageRules((), 0.95))
    assert corpus.decide(any_sure) == {1: "language"}


def test_another_threshold_recomputes_nothing(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"), n_words=8)
    strict = dataclasses.replace(PLAIN, name="strict", quality=QualityRules(min_words=10))
    assert corpus.decide(PLAIN) == {1: None}
    assert corpus.decide(strict) == {1: "too_few_words"}


def test_a_retired_or_forgotten_file_is_trained_on_no_more(corpus: Corpus) -> None:
    corpus.add_chunk(1, corpus.add_source("letters"))
    corpus.connection.execute("INSERT INTO corpus.forgotten VALUES ('x', 'file', 'asked to', now())")
    assert corpus.decide(PLAIN) == {1: "forgotten"}
    corpus.connection.execute("DELETE FROM corpus.forgotten")
    corpus.connection.execute("UPDATE corpus.source_file SET retired_at = now()")
    assert corpus.decide(PLAIN) == {1: "source_retired"}
