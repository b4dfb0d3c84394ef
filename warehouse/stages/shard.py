"""Stage tokens/shard: what the recipe keeps, as token ids in flat files.

Private data is masked and repeated passages are left out as the recipe asks, in the tokenizer's sample and in the
shards of every split: the stored text is not changed. The tokenizer is pinned per recipe. A shard is named by its
inputs, so only shards whose documents changed are written again, and of these only the text that the shard before did
not hold is encoded. Superseded shards go after the commit and a publication, or in the next run where this one was
killed in between, and until then nobody trains on the folder. Their rows in ``tokens.shard_chunk`` and
``tokens.left_out`` stay for the models made of them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pyarrow as pa

from warehouse.code_versions import code_version
from warehouse.database import Connection, query, read_rows, run_script
from warehouse.errors import CheckFailed, CorruptArtefact
from warehouse.files import write_bytes_whole
from warehouse.identity import content_id, fingerprint
from warehouse.perplexity.calibration import choose_sample
from warehouse.recipes import Recipe
from warehouse.splits import SPLITS, sampling_unit
from warehouse.stages.arrow import LEFT_OUT, REFERENCE_SAMPLE, SHARD_CHUNK, arrow_table
from warehouse.stages.duplicate import TextPlace, texts_at
from warehouse.stages.masking import (
    LEAVING_OUT_VERSION,
    Masks,
    leaving_out_version,
    masked_text,
    masking_version,
    recipe_masks,
)
from warehouse.stages.past_tokens import PastShard, PastTokens, past_shards
from warehouse.stages.references import PinnedReference
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions
from warehouse.stages.superseded_shards import clear_superseded
from warehouse.tokens.shards import (
    TOKENIZER_FILE,
    ChunkTokens,
    ShardManifest,
    Tokens,
    open_shard,
    shard_number,
    write_shard,
)
from warehouse.tokens.tokenizer import Tokenizer, train_tokenizer
from warehouse.training_chunks import KeptChunk

ASSET = "tokens/shard"
CODE = (
    "warehouse.tokens",
    "warehouse.splits",
    "warehouse.stages.masking",
    "warehouse.stages.past_tokens",
    "warehouse.stages.shard",
)

N_TRAIN_SHARDS = 8
ENCODE_CHUNKS = 512


@dataclass(frozen=True)
class ShardOrder:
    """A shard to be written: its inputs and where it goes; `masks` are those of its chunks, `past` is what it
    supersedes."""

    shard_id: UUID
    split: str
    number: int
    chunks: tuple[KeptChunk, ...]
    masks: Masks
    folder: Path
    text_folder: Path
    past: PastShard | None = None

    @property
    def name(self) -> str:
        return f"{self.split}-{self.number:02d}-{self.shard_id.hex[:16]}"

    @property
    def n_bytes(self) -> int:
        return sum(chunk.n_bytes for chunk in self.chunks)


def tokenizer_definition(recipe: Recipe) -> str:
    """What a tokenizer is pinned for, as canonical JSON: changing a recipe's rules keeps its tokenizer."""
    return json.dumps(
        {
            "recipe": recipe.name,
            "vocab_size": recipe.tokenizer.vocab_size,
            "sample_bytes": recipe.tokenizer.sample_bytes,
            "seed": recipe.seed,
        },
        sort_keys=True,
    )


def pinned_tokenizer(connection: Connection, recipe: Recipe) -> PinnedReference | None:
    """The newest tokenizer that is pinned for the recipe; its path is a folder below tokens/."""
    rows = read_rows(
        connection, query("pinned_reference"), ["tokenizer", tokenizer_definition(recipe)], PinnedReference
    )
    return rows[0] if rows else None


def _pin_tokenizer(
    context: StageContext, recipe: Recipe, kept: Sequence[KeptChunk], masks: Masks
) -> PinnedReference:
    """Train the recipe's tokenizer on a sample of its training chunks, and record the pin."""
    context.progress(0, 1, "training the tokenizer")
    candidates = [chunk for chunk in kept if chunk.split == "train"]
    chosen = choose_sample(
        [chunk.chunk_id for chunk in candidates],
        [chunk.n_bytes for chunk in candidates],
        recipe.tokenizer.sample_bytes,
        f"tokenizer-{recipe.seed}",
    )
    sample = [candidates[number] for number in chosen]
    home = context.warehouse.home
    texts = texts_at(home.text, [TextPlace(row.chunk_id, row.text_file, row.text_row) for row in sample])
    masked = [masked_text(texts[row.chunk_id], row.chunk_id, masks) for row in sample]
    data = train_tokenizer(masked, recipe.tokenizer.vocab_size)
    tokenizer = Tokenizer(data)
    identity = content_id("tokenizer", tokenizer_definition(recipe), tokenizer.sha256)
    name = f"{recipe.name}-{identity.hex[:16]}"
    write_bytes_whole(home.tokens / name / TOKENIZER_FILE, data)
    rows = [{"reference_id": identity, "chunk_id": row.chunk_id, "fold": 0} for row in sample]
    with context.warehouse.write("pinning the tokenizer") as connection:
        connection.register("sampled", arrow_table(REFERENCE_SAMPLE, rows))
        run_script(
            connection,
            "record_reference",
            {
                "reference_id": identity,
                "kind": "tokenizer",
                "path": name,
                "sha256": tokenizer.sha256,
                "definition": tokenizer_definition(recipe),
            },
        )
        run_script(
            connection,
            "record_tokenizer",
            {
                "tokenizer_id": identity,
                "sha256": tokenizer.sha256,
                "vocab_size": tokenizer.vocab_size,
                "recipe_sha256": recipe.sha256,
                "path": name,
            },
        )
    return PinnedReference(identity, name)


def _chunk_identity(chunk: KeptChunk, masks: Masks) -> tuple[str | bytes, ...]:
    """What of a chunk a shard is named by; what is left out of it changes with the rest of the corpus."""
    ranges = masks[chunk.chunk_id].left_out if chunk.chunk_id in masks else ()
    return (
        chunk.chunk_id.bytes,
        chunk.text_sha256,
        chunk.corpus,
        str(chunk.weight),
        f"{ranges} left out by version {LEAVING_OUT_VERSION}" if ranges else "",
    )


def _orders(
    context: StageContext, tokenizer: PinnedReference, kept: Sequence[KeptChunk], masks: Masks
) -> list[ShardOrder]:
    groups: dict[tuple[str, int], list[KeptChunk]] = {}
    for chunk in kept:
        unit = sampling_unit(chunk.document_id, chunk.ordinal, chunk.split_unit)
        number = shard_number(unit, N_TRAIN_SHARDS) if chunk.split == "train" else 0
        groups.setdefault((chunk.split, number), []).append(chunk)
    home = context.warehouse.home
    return [
        ShardOrder(
            content_id(
                code_version("warehouse.tokens"),
                masking_version(context.recipe),
                tokenizer.reference_id.bytes,
                split,
                number,
                *(part for chunk in chunks for part in _chunk_identity(chunk, masks)),
            ),
            split,
            number,
            tuple(chunks),
            {chunk.chunk_id: masks[chunk.chunk_id] for chunk in chunks if chunk.chunk_id in masks},
            home.tokens / tokenizer.path,
            home.text,
        )
        for (split, number), chunks in sorted(groups.items())
    ]


def _encoded(order: ShardOrder, tokenizer: Tokenizer) -> Iterator[ChunkTokens]:
    """The chunks of a shard with their tokens; only those that the past shard does not hold are encoded."""
    past = PastTokens(order.past, order.masks, tokenizer.sha256)
    for start in range(0, len(order.chunks), ENCODE_CHUNKS):
        group = order.chunks[start : start + ENCODE_CHUNKS]
        known = {chunk.chunk_id: found for chunk in group if (found := past.get(chunk.chunk_id))}
        known |= _encoded_anew([chunk for chunk in group if chunk.chunk_id not in known], order, tokenizer)
        for chunk in group:
            unit = sampling_unit(chunk.document_id, chunk.ordinal, chunk.split_unit)
            tokens, n_bytes = known[chunk.chunk_id]
            yield ChunkTokens(chunk.chunk_id, unit, chunk.corpus, chunk.weight, tokens, n_bytes)


def _encoded_anew(
    chunks: Sequence[KeptChunk], order: ShardOrder, tokenizer: Tokenizer
) -> dict[UUID, tuple[Tokens, int]]:
    """Tokens of chunks, and the UTF-8 bytes that they stand for."""
    places = [TextPlace(chunk.chunk_id, chunk.text_file, chunk.text_row) for chunk in chunks]
    texts = texts_at(order.text_folder, places)
    masked = [masked_text(texts[chunk.chunk_id], chunk.chunk_id, order.masks) for chunk in chunks]
    return {
        chunk.chunk_id: (tokens, len(text.encode()) if chunk.chunk_id in order.masks else chunk.n_bytes)
        for chunk, text, tokens in zip(chunks, masked, tokenizer.encode_batch(masked), strict=True)
    }


def write_ordered_shard(order: ShardOrder) -> tuple[ShardManifest, bool]:
    """Write a shard unless it stands already; returns its manifest and whether it was written. Runs in a worker."""
    path = order.folder / f"{order.name}.json"
    tokenizer = Tokenizer.from_file(order.folder / TOKENIZER_FILE)
    # A damaged shard is written again.
    with contextlib.suppress(CorruptArtefact):
        return open_shard(path, tokenizer_sha256=tokenizer.sha256, verify=True).manifest, False
    manifest = write_shard(
        order.folder,
        order.name,
        _encoded(order, tokenizer),
        shard_id=order.shard_id,
        split=order.split,
        tokenizer_sha256=tokenizer.sha256,
        vocab_size=tokenizer.vocab_size,
    )
    return manifest, True


def _chunk_rows(order: ShardOrder) -> pa.Table:
    index = open_shard(order.folder / f"{order.name}.json").index
    return arrow_table(
        SHARD_CHUNK,
        [
            {
                "shard_id": order.shard_id,
                "chunk_id": record["chunk_id"].tobytes(),
                "token_start": int(record["token_start"]),
                "token_end": int(record["token_end"]),
            }
            for record in index
        ],
    )


def _left_out_rows(order: ShardOrder) -> pa.Table:
    return arrow_table(
        LEFT_OUT,
        [
            {"shard_id": order.shard_id, "chunk_id": chunk_id, "char_start": start, "char_end": end}
            for chunk_id, taken_out in sorted(order.masks.items())
            for start, end in taken_out.left_out
        ],
    )


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.recipe
    with context.warehouse.read() as connection:
        tokenizer = pinned_tokenizer(connection, recipe)
    inputs = {
        **input_versions(context, {"corpus/training_chunk": recipe.name}),
        "definition": tokenizer_definition(recipe),
        "privacy": masking_version(recipe),
        "passages": leaving_out_version(recipe),
        "tokenizer": str(tokenizer.reference_id) if tokenizer else "not pinned yet",
    }
    return StageRun(context, ASSET, recipe.name, inputs, CODE)


def _require_every_split(kept: Sequence[KeptChunk]) -> None:
    there = {chunk.split for chunk in kept}
    if missing := [split for split in SPLITS if split not in there]:
        raise CheckFailed(
            f"There is too little text: none of it falls into {' and '.join(missing)}",
            "Add more text (some hundred documents, or a megabyte) with: fakesmrt add",
        )


def _write_all(context: StageContext, orders: Sequence[ShardOrder]) -> tuple[list[ShardManifest], int]:
    manifests, n_written, done = [], 0, 0
    total = sum(order.n_bytes for order in orders)
    with context.executor() as executor:
        for order, (manifest, written) in zip(orders, executor.map(write_ordered_shard, orders), strict=True):
            manifests.append(manifest)
            n_written += written
            done += order.n_bytes
            context.progress(done, total, "encoding")
    return manifests, n_written


def run(context: StageContext) -> StageReport:
    """Encode the chunks that the recipe keeps; write the shards that changed; publish the database."""
    recipe, home = context.recipe, context.warehouse.home
    stage = version(context)
    with context.warehouse.read() as connection:
        tokenizer = pinned_tokenizer(connection, recipe)
    if stage.up_to_date() and not context.settings.new_references:
        last = stage.last()
        context.warehouse.publish()
        if tokenizer:
            clear_superseded(context.warehouse, recipe.name, home.tokens / tokenizer.path)
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    stage.begin()
    with context.warehouse.read() as connection:
        kept = read_rows(connection, query("kept_chunks"), {"recipe": recipe.name}, KeptChunk)
        masks = recipe_masks(connection, context)
    _require_every_split(kept)
    if tokenizer is None or context.settings.new_references:
        tokenizer = _pin_tokenizer(context, recipe, kept, masks)
        stage = StageRun(
            context, ASSET, recipe.name, {**stage.inputs, "tokenizer": str(tokenizer.reference_id)}, CODE
        )
    with context.warehouse.read() as connection:
        past = past_shards(connection, stage, tokenizer.reference_id, home.tokens)
    orders = [
        replace(order, past=past.get((order.split, order.number)))
        for order in _orders(context, tokenizer, kept, masks)
    ]
    manifests, n_written = _write_all(context, orders)
    with context.warehouse.write("recording shards") as connection:
        connection.execute("DELETE FROM tokens.shard WHERE recipe = ?", [recipe.name])
        for order, manifest in zip(orders, manifests, strict=True):
            connection.execute(
                query("record_shard"),
                {
                    "shard_id": order.shard_id,
                    "tokenizer_id": tokenizer.reference_id,
                    "recipe": recipe.name,
                    "split": order.split,
                    "number": order.number,
                    "path": f"{tokenizer.path}/{order.name}.bin",
                    "n_tokens": manifest.n_tokens,
                    "n_chunks": manifest.n_chunks,
                    "n_bytes": manifest.n_bytes,
                    "sha256": bytes.fromhex(manifest.sha256),
                },
            )
            connection.register("sharded", _chunk_rows(order))
            connection.execute(query("record_shard_chunks"))
            connection.register("left_out", _left_out_rows(order))
            connection.execute(query("record_left_out"))
        content = fingerprint(*(f"{manifest.shard_id} {manifest.sha256}" for manifest in manifests))
        stage.record(connection, len(orders), content=content)
    # After the commit: a run that is killed before leaves every shard that the database names.
    context.warehouse.publish()
    clear_superseded(context.warehouse, recipe.name, home.tokens / tokenizer.path)
    facts: dict[str, int | float | str] = {
        "n_shards_written": n_written,
        "n_tokens_train": sum(m.n_tokens for m in manifests if m.split == "train"),
        "n_tokens_held_out": sum(m.n_tokens for m in manifests if m.split != "train"),
        "text_bytes": sum(m.n_bytes for m in manifests),
        "n_ranges_masked": sum(len(out.private) for order in orders for out in order.masks.values()),
        "n_passages_left_out": sum(len(out.left_out) for order in orders for out in order.masks.values()),
        "vocab_size": manifests[0].vocab_size,
    }
    return stage.report(len(orders), facts)
