"""The tree of a token: from its position in a shard to the bytes of a raw file, with every decision on the way.

What lives here: which facts the tree shows. What does not: finding (``token_place.py``), proving (``token_proof.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from warehouse.cleanser.repair import STRICT, RepairPlan
from warehouse.database import Connection
from warehouse.home import Home
from warehouse.lineage.token_place import ChunkOrigin, TokenPlace
from warehouse.lineage.token_proof import Check, TokenBytes, TokenProof, prove
from warehouse.lineage.tree import Fact, TraceNode, node_of, rows_of

SHOWN_BYTES = 64


def token_node(connection: Connection, place: TokenPlace, home: Home | None) -> TraceNode:
    """A token as a tree.

    Args:
        connection: an open Training Database.
        place: of `find_token`.
        home: where the files lie by which it is proved; None proves nothing.
    """
    proof = prove(place, home) if home is not None else None
    shard, origin = place.shard, place.origin
    children = [
        TraceNode(
            "shard",
            str(shard.shard_id),
            _facts(
                path=shard.path,
                recipe=shard.recipe,
                split=shard.split,
                is_current=shard.is_current,
                tokenizer=shard.tokenizer_path,
            ),
        ),
        TraceNode("chunk", str(place.chunk_id), _chunk_facts(place)),
    ]
    if origin is not None:
        children += [
            *_decisions(place, origin),
            *(_bytes_node(origin, found) for found in (proof.places if proof else ())),
            TraceNode(
                "document", str(origin.document_id), _facts(reader=origin.reader, language=origin.language)
            ),
            *_file_nodes(connection, str(origin.source_id)),
        ]
    elif place.forgotten_source is not None:
        children += _file_nodes(connection, str(place.forgotten_source))
    if proof is not None:
        children += [_check_node(check) for check in proof.checks]
    return TraceNode(
        "token", f"{shard.path or shard.shard_id}:{place.token}", _token_facts(place, proof), tuple(children)
    )


def _facts(**values: Fact) -> dict[str, Fact]:
    return {name: value for name, value in values.items() if value is not None}


def _token_facts(place: TokenPlace, proof: TokenProof | None) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"position": place.token}
    if place.is_marker:
        facts["stands_for"] = "the beginning of the chunk, and no text"
    if proof is None:
        return facts
    if proof.token_id is not None:
        facts["token_id"] = proof.token_id
    if proof.spelled is not None:
        facts["spells"] = repr(proof.spelled.decode(errors="backslashreplace"))
    return {**facts, "proof": proof.verdict}


def _chunk_facts(place: TokenPlace) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"token_start": place.token_start, "token_end": place.token_end}
    origin = place.origin
    if origin is None:
        is_forgotten = place.forgotten_source is not None
        return {**facts, "note": "forgotten: its text is held nowhere" if is_forgotten else "no longer held"}
    return {
        **facts,
        "byte_start": origin.byte_start,
        "byte_end": origin.byte_end,
        "split": origin.split,
        "text_sha256": origin.text_sha256.hex(),
        "text_file": origin.text_file,
        "text_row": origin.text_row,
    }


def _decisions(place: TokenPlace, origin: ChunkOrigin) -> Iterator[TraceNode]:
    """What was decided between the file and the tokens, in that order."""
    if origin.member is not None or origin.container != "file":
        unpacked = _facts(member=origin.member, sha256=origin.stream_sha256.hex())
        yield _decision(f"unpacked as {origin.container}", unpacked)
    yield _decision(f"read as {origin.reader}", _facts(reader_version=origin.reader_version))
    regions = json.loads(origin.encoding_regions) if origin.encoding_regions else []
    yield _decision(
        f"decoded as {origin.encoding}",
        _facts(
            encoding_confidence=origin.encoding_confidence,
            encoding_evidence=origin.encoding_evidence,
            decoder_state=origin.decoder_state,
            n_encodings=len(regions) or None,
        ),
    )
    plan = RepairPlan.from_json(origin.repair)
    if plan.steps or plan.errors != STRICT:
        steps = dict.fromkeys(step[0] for step in plan.steps)
        yield _decision(
            f"repaired by {', '.join(steps) or 'nothing else'}",
            _facts(errors=plan.errors, n_replaced=origin.n_replaced, repair=origin.repair),
        )
    for item in place.mask.private:
        yield _decision(f"{item.kind} masked", _facts(char_start=item.char_start, char_end=item.char_end))
    for start, end in place.mask.left_out:
        yield _decision("repeated passage left out", _facts(char_start=start, char_end=end))


def _decision(what: str, facts: dict[str, Fact]) -> TraceNode:
    return TraceNode("decision", what, facts)


def _bytes_node(origin: ChunkOrigin, found: TokenBytes) -> TraceNode:
    """Characters of the stored text, and the raw bytes behind them."""
    place = f"{origin.path}" if origin.member is None else f"{origin.path}!{origin.member}"
    facts = _facts(
        char_start=found.char_start, char_end=found.char_end, text=repr(found.text), masked=found.masked
    )
    if found.raw is None or found.byte_start is None or found.byte_end is None:
        return TraceNode("characters", f"{found.char_start}-{found.char_end} of the stored text", facts)
    shown = found.raw[:SHOWN_BYTES]
    facts |= _facts(
        byte_start=found.byte_start,
        byte_end=found.byte_end,
        hex=shown.hex(" ") + (" …" if len(found.raw) > len(shown) else ""),
        of=None if found.is_exact else "the record that holds them",
    )
    return TraceNode("bytes", f"{place}:{found.byte_start}-{found.byte_end}", facts)


def _file_nodes(connection: Connection, source_id: str) -> list[TraceNode]:
    return [
        node_of("source_file", row) for row in rows_of(connection, "trace_source_file", {"id": source_id})
    ]


def _check_node(check: Check) -> TraceNode:
    verdict = {True: "proved", False: "refuted", None: "not possible"}[check.holds]
    return TraceNode("proof", check.what, _facts(verdict=verdict, note=check.note))
