"""Stage reports/lineage_audit: proof, on a sample, that the model in use can be traced to raw bytes.

For sampled tokens of the promoted model's training ranges: token -> chunk -> byte range of a file; the bytes are
replayed by the recorded decision, repeated passages left out and private data masked by the recorded ranges, encoded
again, and must give the same tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from pathlib import Path
from uuid import UUID

from fakesmrt_assets.stages import promoted_model
from fakesmrt_assets.stages.micromodel import tokens_folder
from warehouse.cleanser.replaying import ChunkDecision, replay
from warehouse.database import query, read_rows
from warehouse.errors import CheckFailed, InputUnreadable, InvalidConfiguration
from warehouse.files import write_bytes_whole
from warehouse.stages.feeding import filesystem_path, streams_in
from warehouse.stages.masking import masked_text, shard_masks
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions
from warehouse.tokens.shards import open_split
from warehouse.tokens.tokenizer import Tokenizer

ASSET = "reports/lineage_audit"
CODE = ("warehouse.cleanser", "warehouse.stages.masking", "fakesmrt_assets.stages.lineage_audit")

N_SAMPLED = 64


@dataclass(frozen=True)
class TracedChunk:
    """A chunk that the model was trained on, with where it comes from and where its tokens lie."""

    chunk_id: UUID
    shard_id: UUID
    token_start: int
    token_end: int
    path: str | None
    sha256: bytes | None
    member: str | None
    licence: str | None
    byte_start: int
    byte_end: int
    char_start: int
    char_end: int
    encoding: str
    decoder_state: str | None
    repair: str
    reader: str
    reader_version: str
    encoding_regions: str | None

    @property
    def decision(self) -> ChunkDecision:
        """What decides its text."""
        return ChunkDecision(**{field.name: getattr(self, field.name) for field in fields(ChunkDecision)})


@dataclass(frozen=True)
class Audit:
    """What the audit found.

    Attributes:
        n_chunks: distinct chunks that the model was trained on.
        n_files: source files that they come from.
        n_untraced: chunks without a known source file.
        n_replayed: sampled chunks whose tokens were reproduced from the raw bytes.
        failures: a line for each sampled chunk whose tokens were not.
        not_held: sampled chunks whose file or shard is no longer held.
    """

    n_chunks: int
    n_files: int
    n_untraced: int
    n_replayed: int
    failures: tuple[str, ...]
    not_held: int


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    inputs = input_versions(context, {promoted_model.ASSET: context.settings.recipe})
    return StageRun(context, ASSET, context.settings.recipe, inputs, CODE)


def _replayed(sample: Sequence[TracedChunk], temporary: Path) -> Iterator[tuple[TracedChunk, str | None]]:
    """Each chunk with the text that its raw bytes give; None where its file is gone, or has other bytes or another
    reader by now. Each file is walked once."""
    for _, chunks in groupby(sample, lambda chunk: (chunk.path, chunk.sha256)):
        waiting = list(chunks)
        texts = _texts_of_file(waiting, temporary)
        yield from ((chunk, texts.get(chunk.chunk_id)) for chunk in waiting)


def _texts_of_file(chunks: Sequence[TracedChunk], temporary: Path) -> dict[UUID, str]:
    path, sha256 = chunks[0].path, chunks[0].sha256
    texts: dict[UUID, str] = {}
    if path is None or sha256 is None:
        return texts
    members = {chunk.member for chunk in chunks}
    with suppress(InputUnreadable, OSError):
        for stream in streams_in(filesystem_path(path), sha256, members, temporary):
            for chunk in chunks:
                if chunk.member == stream.member:
                    with suppress(InvalidConfiguration):
                        texts[chunk.chunk_id] = replay(stream, chunk.decision)
    return texts


def audit_model(context: StageContext, checkpoint_id: UUID) -> Audit:
    """Trace a model's training chunks; replay a sample of them from their raw bytes."""
    folder = tokens_folder(context, context.recipe)
    tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
    shards = {UUID(shard.manifest.shard_id): shard for shard in open_split(folder, "train")}
    with context.warehouse.read() as connection:
        n_chunks, n_files, n_untraced = connection.execute(
            query("audit_counts"), {"checkpoint_id": checkpoint_id}
        ).fetchall()[0]
        sample = read_rows(
            connection,
            query("audit_sample"),
            {"checkpoint_id": checkpoint_id, "n_sampled": N_SAMPLED},
            TracedChunk,
        )
        held = [(chunk.shard_id, chunk.chunk_id) for chunk in sample if chunk.shard_id in shards]
        masks = shard_masks(connection, context.recipe, held)
    n_replayed, not_held, failures = 0, 0, []
    for number, (chunk, text) in enumerate(_replayed(sample, context.warehouse.home.temporary)):
        context.progress(number, len(sample), "replaying raw bytes")
        shard = shards.get(chunk.shard_id)
        if shard is None or text is None:
            not_held += 1
            continue
        stored = shard.tokens[chunk.token_start + 1 : chunk.token_end]
        if tokenizer.encode(masked_text(text, chunk.chunk_id, masks)).tolist() == stored.tolist():
            n_replayed += 1
        else:
            failures.append(f"chunk {chunk.chunk_id}: its bytes in {chunk.path} give other tokens")
    return Audit(n_chunks, n_files, n_untraced, n_replayed, tuple(failures), not_held)


def run(context: StageContext) -> StageReport:
    """Audit the model in use.

    Raises:
        CheckFailed: if a sampled token cannot be reproduced from its raw bytes.
    """
    stage = version(context)
    if stage.up_to_date():
        context.warehouse.publish()
        return stage.report(1, {}, up_to_date=True)
    promoted = promoted_model.promoted_row(context)
    if promoted is None:
        raise CheckFailed("No model is promoted yet", "Run: fakesmrt build models")
    audit = audit_model(context, promoted.checkpoint_id)
    page = context.warehouse.home.reports / f"lineage_audit-{promoted.experiment}.json"
    write_bytes_whole(page, json.dumps(asdict(audit), indent=1).encode())
    if audit.failures:
        raise CheckFailed(audit.failures[0], f"See {page}, then run: fakesmrt doctor")
    with context.warehouse.write("recording the lineage audit") as connection:
        stage.record(connection, 1)
    context.warehouse.publish()
    facts: dict[str, int | float | str] = {
        "experiment": promoted.experiment,
        "n_chunks": audit.n_chunks,
        "n_files": audit.n_files,
        "n_replayed": audit.n_replayed,
        "n_not_held": audit.not_held,
        "n_untraced": audit.n_untraced,
        "page": str(page),
    }
    problems = [f"{audit.n_untraced} chunks of the model are held no more"] if audit.n_untraced else []
    return stage.report(1, facts, problems=problems)
