"""Pictures of a build, each a pure function from plain values to the bytes of a PNG.

What lives here: what is drawn. What does not: the common look (``drawing.py``), where values come from
(``picture_data.py``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakesmrt_assets.reports.drawing import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    LINES,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    figure,
    png,
    short_label,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 16
"""Bars in a picture: the largest, or the best models."""
MOST_STEPS = 14
"""Steps of a waterfall; smaller ones are summed up."""


@dataclass(frozen=True)
class TrainingCurve:
    """The logged steps of one training.

    Attributes:
        label: which model.
        n_tokens: tokens seen at each step.
        loss: mean training loss, nats a token.
        bits_per_byte: on the validation split; None at steps where it was not measured.
    """

    label: str
    n_tokens: tuple[int, ...]
    loss: tuple[float, ...]
    bits_per_byte: tuple[float | None, ...]


@dataclass(frozen=True)
class Histogram:
    """Counts of values in bins [start, start + width)."""

    starts: tuple[float, ...]
    counts: tuple[int, ...]
    width: float


@dataclass(frozen=True)
class CorpusScores:
    """Bits per byte of a corpus's chunks, and the bounds that a recipe draws there.

    Attributes:
        corpus: its name.
        histogram: chunks by bits per byte.
        head_end: the largest value in bucket head; None where there are no buckets.
        middle_end: the largest value in bucket middle.
        kept_end: the largest value that is kept; None where no chunk is dropped for its perplexity.
    """

    corpus: str
    histogram: Histogram
    head_end: float | None
    middle_end: float | None
    kept_end: float | None = None


@dataclass(frozen=True)
class Decided:
    """Text of a corpus that a rule dropped, or that was kept (`reason` is None): UTF-8 bytes and chunks."""

    corpus: str
    reason: str | None
    n_chunks: int
    n_bytes: int


@dataclass(frozen=True)
class PassageSpread:
    """Repeated passages of a level (paragraph, line) that stand in `n_documents` to twice as many documents."""

    level: str
    n_documents: int
    n_passages: int


@dataclass(frozen=True)
class Score:
    """Bits per byte of a model on the report split, with the 95 % interval where there is one."""

    model: str
    value: float
    low: float | None
    high: float | None
    is_baseline: bool


@dataclass(frozen=True)
class Box:
    """A box of a lineage picture; `column` 0 stands on the left, and what it led to further right."""

    identifier: str
    label: str
    column: int


@dataclass(frozen=True)
class Arrow:
    """From a box to what was made of it; `label` may be empty."""

    start: str
    end: str
    label: str = ""


def loss_curves(curves: Sequence[TrainingCurve]) -> bytes:
    """Training loss and validation bits per byte of a trunk and its replicates, over tokens."""
    with figure(3.4, 2) as (drawing, (left, right)):
        for number, curve in enumerate(curves):
            style: dict[str, Any] = {
                "color": COLOURS[number % len(COLOURS)],
                "linestyle": LINES[number % len(LINES)],
            }
            millions = [n / 1e6 for n in curve.n_tokens]
            left.plot(millions, curve.loss, label=short_label(curve.label), **style)
            measured = [(x, y) for x, y in zip(millions, curve.bits_per_byte, strict=True) if y is not None]
            if measured:
                right.plot(*zip(*measured, strict=True), marker="o", markersize=3, **style)
        left.set(title="Training loss", ylabel="nats a token", xlabel="million tokens")
        right.set(title="Validation", ylabel="bits per byte", xlabel="million tokens")
        if 1 <= len(curves) <= 10:
            left.legend(fontsize=8)
        return png(drawing)


def training_course(
    n_tokens: Sequence[int], series: Mapping[str, tuple[str, Sequence[float | None]]]
) -> bytes:
    """What a training did, a panel for each series over tokens: its title -> its unit, its values."""
    with figure(2.6, max(1, len(series))) as (drawing, panels):
        for axes, (title, (unit, values)) in zip(panels, series.items(), strict=False):
            known = [(n / 1e6, y) for n, y in zip(n_tokens, values, strict=True) if y is not None]
            if known:
                axes.plot(*zip(*known, strict=True), color=BLUE)
            axes.set(title=title, ylabel=unit, xlabel="million tokens")
        return png(drawing)


def chunk_lengths(histogram: Histogram) -> bytes:
    """How long the chunks are."""
    with figure(2.6) as (drawing, (axes,)):
        _draw_histogram(axes, histogram, BLUE)
        axes.set(title="Length of chunks", xlabel="characters", ylabel="chunks")
        return png(drawing)


def perplexity_histograms(corpora: Sequence[CorpusScores]) -> bytes:
    """Bits per byte of the chunks of up to six corpora, with the bounds that the recipe draws."""
    shown = sorted(corpora, key=lambda scores: -sum(scores.histogram.counts))[:6] or [_NO_SCORES]
    with figure(1.1 + 1.15 * len(shown), len(shown), vertical=True) as (drawing, panels):
        for axes, scores in zip(panels, shown, strict=True):
            _draw_histogram(axes, scores.histogram, BLUE)
            for end, colour, name in (
                (scores.head_end, GREEN, "head"),
                (scores.middle_end, VERMILLION, "middle"),
                (scores.kept_end, PURPLE, "what is kept"),
            ):
                if end is not None:
                    axes.axvline(end, color=colour, linestyle="--", linewidth=1.2, label=f"end of {name}")
            axes.set(title=short_label(scores.corpus), ylabel="chunks", xlim=_common_range(shown))
        if panels[0].get_legend_handles_labels()[0]:
            panels[0].legend(fontsize=8)
        panels[-1].set_xlabel("bits per byte under the reference")
        return png(drawing)


def kept_and_dropped(decided: Sequence[Decided]) -> bytes:
    """From what was read to what is kept, reason by reason; then the same as shares of each corpus."""
    reasons = _totals((item.reason or "kept", item.n_bytes) for item in decided)
    dropped = {name: n for name, n in reasons.items() if name != "kept"}
    steps, shares = _largest(dropped, MOST_STEPS), _largest(dropped, len(COLOURS) - 1)
    corpora = _largest(_totals((item.corpus, item.n_bytes) for item in decided), MOST_ROWS)
    corpora.pop("others", None)
    heights = (0.7 + 0.24 * (len(steps) + 2), 1.2 + 0.26 * len(corpora))
    with figure(sum(heights), 2, vertical=True, ratios=heights) as (drawing, (upper, lower)):
        _draw_waterfall(upper, steps, reasons.get("kept", 0))
        _draw_shares(lower, decided, ["kept", *shares], list(corpora))
        return png(drawing)


def cluster_sizes(sizes: Mapping[int, int]) -> bytes:
    """How many clusters of near-duplicates have how many members."""
    with figure(2.6) as (drawing, (axes,)):
        if sizes:
            axes.vlines(list(sizes), 0.7, list(sizes.values()), color=SKY, linewidth=1.5)
            axes.plot(list(sizes), list(sizes.values()), "o", color=BLUE, markersize=5)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_ylim(bottom=0.7)
            axes.xaxis.set_major_formatter("{x:.0f}")
            axes.yaxis.set_major_formatter("{x:.0f}")
            axes.yaxis.set_minor_formatter("")
        axes.set(title="Clusters of near-duplicates", xlabel="members", ylabel="clusters")
        return png(drawing)


def passage_spread(spread: Sequence[PassageSpread]) -> bytes:
    """How many repeated paragraphs and lines stand in how many documents."""
    with figure(2.6) as (drawing, (axes,)):
        for level, colour, shift in (("paragraph", BLUE, -0.19), ("line", ORANGE, 0.19)):
            rows = [(math.log2(row.n_documents), row.n_passages) for row in spread if row.level == level]
            if rows:
                places, counts = zip(*rows, strict=True)
                axes.bar(
                    [place + shift for place in places], counts, width=0.38, color=colour, label=f"{level}s"
                )
        if spread:
            powers = range(1, 1 + max(int(math.log2(row.n_documents)) for row in spread))
            axes.set_xticks(powers, [f"{2**power:,}+" for power in powers])
            axes.set_yscale("log")
            axes.set_ylim(bottom=0.7)
            axes.yaxis.set_major_formatter("{x:,.0f}")
            axes.legend(fontsize=8)
        axes.grid(visible=False, axis="x")
        axes.set(title="Repeated passages", xlabel="documents that hold them", ylabel="passages")
        return png(drawing)


def bits_per_byte_bars(scores: Sequence[Score]) -> bytes:
    """Bits per byte of every model and baseline with 95 % intervals; lower is better."""
    ordered = sorted(scores, key=lambda score: score.value, reverse=True)[-MOST_ROWS:]
    with figure(0.9 + 0.3 * max(1, len(ordered))) as (drawing, (axes,)):
        for row, score in enumerate(ordered):
            axes.barh(row, score.value, color=GREY if score.is_baseline else BLUE, height=0.6)
            end = score.value
            if score.low is not None and score.high is not None:
                axes.plot([score.low, score.high], [row, row], color="black", linewidth=1.2, marker="|")
                end = max(end, score.high)
            axes.annotate(f"{score.value:.3f}", (end, row), (4, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(ordered)), [short_label(score.model) for score in ordered])
        axes.set(title="Held-out text (grey: baselines; lower is better)", xlabel="bits per byte")
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.1)
        return png(drawing)


def mixing_weights(weights: Mapping[str, float]) -> bytes:
    """The share of each ingredient in a mixed model."""
    shown = dict(sorted(weights.items(), key=lambda item: item[1])[-MOST_ROWS:])
    with figure(0.9 + 0.3 * max(1, len(shown))) as (drawing, (axes,)):
        for row, weight in enumerate(shown.values()):
            axes.barh(row, weight, color=GREEN, height=0.6)
            axes.annotate(f"{weight:.3f}", (weight, row), (4, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(shown)), [short_label(name) for name in shown])
        axes.set(title="Mixing weights", xlabel="share")
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.12)
        return png(drawing)


def lineage_picture(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> bytes:
    """Boxes in columns from left to right, with arrows from what a thing was made of to the thing."""
    columns: dict[int, list[Box]] = defaultdict(list)
    for box in boxes:
        columns[box.column].append(box)
    tallest = max((len(column) for column in columns.values()), default=1)
    with figure(0.7 + 0.62 * tallest) as (drawing, (axes,)):
        axes.set_axis_off()
        places = dict(_box_places(columns))
        for box in boxes:
            edge = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": COLOURS[box.column % 8]}
            place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8, "zorder": 2}
            axes.annotate(short_label(box.label, longest=60), places[box.identifier], bbox=edge, **place)
        for arrow in arrows:
            _draw_arrow(axes, places[arrow.start], places[arrow.end], arrow.label)
        axes.set_xlim(-0.5, max(columns, default=0) + 0.5)
        axes.set_ylim(-0.1, 1.1)
        return png(drawing)


_NO_SCORES = CorpusScores("no chunk has a score yet", Histogram((), (), 0.1), None, None)


def _totals(items: Iterator[tuple[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for name, n in items:
        totals[name] = totals.get(name, 0) + n
    return totals


def _largest(totals: Mapping[str, int], n: int) -> dict[str, int]:
    """The n largest; the others are summed up under ``others``."""
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(value for _, value in ordered[n:])
    return dict(ordered[:n]) | ({"others": rest} if rest else {})


def _draw_histogram(axes: Axes, histogram: Histogram, colour: str) -> None:
    axes.bar(
        histogram.starts, histogram.counts, width=histogram.width, align="edge", color=colour, linewidth=0
    )
    axes.set_ylim(bottom=0)
    axes.grid(visible=False, axis="x")


def _common_range(corpora: Sequence[CorpusScores]) -> tuple[float, float]:
    starts = [start for scores in corpora for start in scores.histogram.starts] or [0.0]
    return min(starts) - 0.1, max(starts) + 0.2


def _draw_waterfall(axes: Axes, dropped: Mapping[str, int], n_kept: int) -> None:
    total = n_kept + sum(dropped.values())
    left = total
    rows = [("read", 0, total, GREY)]
    for number, (reason, n) in enumerate(dropped.items()):
        left -= n
        rows.append((reason, left, n, COLOURS[1 + number % 7]))
    rows.append(("kept", 0, n_kept, BLUE))
    for row, (_, start, n, colour) in enumerate(rows):
        axes.barh(row, n / 1e6, left=start / 1e6, color=colour, height=0.65)
        axes.annotate(
            f"{n / 1e6:,.2f}", ((start + n) / 1e6, row), (4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(rows)), [short_label(name) for name, *_ in rows])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    axes.set(title="From what was read to what is kept", xlabel="million bytes of clean text")


def _draw_shares(
    axes: Axes, decided: Sequence[Decided], reasons: Sequence[str], corpora: Sequence[str]
) -> None:
    totals = _totals((item.corpus, item.n_bytes) for item in decided)
    names = list(corpora)
    left = [0.0] * len(names)
    for number, reason in enumerate(reasons):
        shares = [_share_of(decided, corpus, reason, reasons) / max(1, totals[corpus]) for corpus in names]
        colour = BLUE if reason == "kept" else COLOURS[1 + (number - 1) % 7]
        axes.barh(range(len(names)), shares, left=left, color=colour, height=0.65, label=short_label(reason))
        left = [start + share for start, share in zip(left, shares, strict=True)]
    axes.set_yticks(range(len(names)), [short_label(corpus) for corpus in names])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _position: f"{value:.0%}")
    axes.grid(visible=False, axis="y")
    axes.set_title(
        "Share of each corpus" + (f" (the {len(names)} largest)" if len(totals) > len(names) else "")
    )
    axes.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.35 * 3 / (2 + len(names))))


def _share_of(decided: Sequence[Decided], corpus: str, reason: str, named: Sequence[str]) -> int:
    """Bytes of a corpus under a reason; ``others`` are those that have no name of their own."""
    items = [item for item in decided if item.corpus == corpus]
    if reason == "others":
        return sum(item.n_bytes for item in items if (item.reason or "kept") not in named)
    return sum(item.n_bytes for item in items if (item.reason or "kept") == reason)


def _box_places(columns: Mapping[int, Sequence[Box]]) -> Iterator[tuple[str, tuple[float, float]]]:
    for number, column in columns.items():
        for row, box in enumerate(column):
            yield box.identifier, (float(number), 1 - (row + 0.5) / len(column))


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], label: str) -> None:
    arrow = {"arrowstyle": "-|>", "color": "#555555", "shrinkA": 52, "shrinkB": 44, "linewidth": 1.0}
    axes.annotate("", end, start, arrowprops=arrow, zorder=1)
    if label:
        middle = (0.42 * start[0] + 0.58 * end[0], 0.42 * start[1] + 0.58 * end[1])
        axes.annotate(
            short_label(label), middle, ha="center", va="center", fontsize=7, zorder=3,
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        )  # fmt: skip
