"""Pictures are pure: the same values give the same PNG, and odd values still give one."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from fakesmrt_assets.reports import pictures
from fakesmrt_assets.reports.pictures import (
    Arrow,
    Box,
    CorpusScores,
    Decided,
    Histogram,
    PassageSpread,
    Score,
    TrainingCurve,
)

HISTOGRAM = Histogram((1.0, 1.1, 1.2), (5, 9, 2), 0.1)
CURVE = TrainingCurve("trunk", (0, 10, 20), (6.0, 5.0, 4.5), (None, 3.0, None))
ODD_NAMES = "$x_{1}$ <b>\x1b[2J\u202e" + "very long " * 20

DRAWN = {
    "loss": lambda: pictures.loss_curves([CURVE, TrainingCurve(ODD_NAMES, (0, 9), (5.0, 4.0), (None, None))]),
    "course": lambda: pictures.training_course(
        [0, 10, 20], {"Speed": ("tokens a second", [9.0, 8.0, 9.5]), "Gradient": ("norm", [None, 1.5, None])}
    ),
    "lengths": lambda: pictures.chunk_lengths(HISTOGRAM),
    "perplexity": lambda: pictures.perplexity_histograms(
        [CorpusScores(ODD_NAMES, HISTOGRAM, 1.1, None, 1.2)]
    ),
    "kept": lambda: pictures.kept_and_dropped(
        [
            Decided("books", None, 9, 900),
            Decided("books", "duplicate", 1, 100),
            Decided(ODD_NAMES, None, 1, 50),
        ]
    ),
    "clusters": lambda: pictures.cluster_sizes({2: 30, 3: 4, 1000: 1}),
    "passages": lambda: pictures.passage_spread(
        [PassageSpread("paragraph", 2, 30), PassageSpread("paragraph", 16, 3), PassageSpread("line", 1024, 1)]
    ),
    "scores": lambda: pictures.bits_per_byte_bars(
        [Score("5-gram", 1.9, 1.8, 2.0, True), Score(ODD_NAMES, 2.1, None, None, False)]
    ),
    "weights": lambda: pictures.mixing_weights({"micromodel 0": 0.75, ODD_NAMES: 0.25}),
    "lineage": lambda: pictures.lineage_picture(
        [Box("a", ODD_NAMES, 0), Box("b", "trunk", 1)], [Arrow("a", "b", "3 M")]
    ),
}

EMPTY = {
    "loss": lambda: pictures.loss_curves([]),
    "course": lambda: pictures.training_course([], {}),
    "lengths": lambda: pictures.chunk_lengths(Histogram((), (), 100.0)),
    "perplexity": lambda: pictures.perplexity_histograms([]),
    "kept": lambda: pictures.kept_and_dropped([]),
    "clusters": lambda: pictures.cluster_sizes({}),
    "passages": lambda: pictures.passage_spread([]),
    "scores": lambda: pictures.bits_per_byte_bars([]),
    "weights": lambda: pictures.mixing_weights({}),
    "lineage": lambda: pictures.lineage_picture([], []),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_values_give_the_same_picture(name: str) -> None:
    png = DRAWN[name]()
    assert png == DRAWN[name]()
    assert len(png) < 60_000
    with Image.open(io.BytesIO(png)) as image:
        image.verify()
        assert image.width == 720


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_show_is_still_a_picture(name: str) -> None:
    assert EMPTY[name]().startswith(b"\x89PNG")


def test_more_is_summed_up_rather_than_drawn() -> None:
    decided = [Decided(f"corpus {n}", f"reason {n}", 1, n + 1) for n in range(200)]
    assert len(pictures.kept_and_dropped(decided)) < 60_000


def test_drawing_leaves_the_library_as_it_was() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    DRAWN["scores"]()
    assert dict(mpl.rcParams) == before
