"""Bounded clusters from verified pairs, so that a chain of likenesses cannot swallow a corpus.

Chunks with the same text are one node; verified pairs at or above the threshold are its links. Star
clustering (Aslam, Pelekhov, Rus 2004): nodes are visited by descending number of links, then descending
priority, then ascending smallest chunk_id; a node that no centre is linked to becomes a centre. Then every
other node joins the centre that it resembles most (at equal similarity the one visited first). Therefore:

- every member has the same text as its centre or a verified link to it, so any two members of a cluster, and
  any keeper and any member, are at most two verified links apart;
- no two centres are linked: a choice of the centres alone holds no pair at or above the threshold;
- the result depends on the set of chunks and pairs, never on their order or on how often a pair is given.

What lives here: pairs to memberships. What does not: which member is kept (the training view decides among
the chunks that pass every other rule).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from warehouse.dedup.candidates import CHUNK_ID
from warehouse.dedup.shingles import Int64Array
from warehouse.errors import InvalidConfiguration

CLUSTER_SCHEMA = pa.schema(
    [
        ("chunk_id", CHUNK_ID),
        ("cluster_id", CHUNK_ID),
        ("threshold", pa.float32()),
        ("rule_version", pa.string()),
        ("jaccard", pa.float32()),
    ]
)
"""The columns of ``corpus.duplicate_cluster``, and each member's similarity to the centre (1 for the same
text)."""

Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class ClusterParameters:
    """What a cluster is.

    Attributes:
        threshold: least Jaccard similarity of a link; compared in single precision, as similarities are
            stored.
        version: name of the rule.
    """

    threshold: float = 0.8
    version: str = "star-1"

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise InvalidConfiguration(f"{self.threshold} is no Jaccard threshold", "Choose above 0, up to 1")


@dataclass(frozen=True)
class Links:
    """Undirected links between nodes 0 to n_nodes - 1, each stored once in each direction, sorted by node.

    Attributes:
        offsets: (n_nodes + 1,) where each node's neighbours begin.
        neighbours: (2 n_links,) nodes.
        similarities: (2 n_links,) of the link to each neighbour.
    """

    offsets: Int64Array
    neighbours: Int64Array
    similarities: Float32Array

    @property
    def degrees(self) -> Int64Array:
        """(n_nodes,) links of each node."""
        return np.diff(self.offsets)


def make_links(n_nodes: int, a: Int64Array, b: Int64Array, similarities: Float32Array) -> Links:
    """Links from pairs in any order and direction; repetitions count once, a node's link to itself not at
    all."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    _, first = np.unique(low * n_nodes + high, return_index=True)
    first = first[low[first] != high[first]]
    low, high, similarities = low[first], high[first], similarities[first]
    nodes, neighbours = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((neighbours, nodes))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(nodes, minlength=n_nodes))])
    return Links(offsets, neighbours[order], np.concatenate([similarities, similarities])[order])


def star_clusters(links: Links, rank: Int64Array) -> tuple[Int64Array, Float32Array]:
    """Choose centres and assign every node to one.

    Args:
        links: the verified links.
        rank: (n_nodes,) distinct; the node of least rank is visited first.

    Returns:
        (n_nodes,) each node's centre (itself for a centre), and (n_nodes,) its similarity to it.
    """
    n_nodes = len(rank)
    centre_of, similarity = np.arange(n_nodes), np.ones(n_nodes, np.float32)
    is_centre = _centres(links, rank)
    nodes = np.repeat(np.arange(n_nodes), links.degrees)
    choices = np.flatnonzero(is_centre[links.neighbours])
    # Each member's choices side by side, the most similar and then the earliest centre first.
    choices = choices[
        np.lexsort((rank[links.neighbours[choices]], -links.similarities[choices], nodes[choices]))
    ]
    members, first = np.unique(nodes[choices], return_index=True)
    centre_of[members] = links.neighbours[choices[first]]
    similarity[members] = links.similarities[choices[first]]
    return centre_of, similarity


def _centres(links: Links, rank: Int64Array) -> NDArray[np.bool_]:
    """The nodes that no earlier centre is linked to: the maximal independent set that `rank` leads to."""
    is_centre: NDArray[np.bool_] = links.degrees == 0
    covered = np.zeros(len(rank), np.bool_)
    linked = np.flatnonzero(links.degrees)
    for node in linked[np.argsort(rank[linked])]:
        if not covered[node]:
            is_centre[node] = True
            covered[links.neighbours[links.offsets[node] : links.offsets[node + 1]]] = True
    return is_centre


def cluster_chunks(members: pa.Table, pairs: pa.Table, parameters: ClusterParameters) -> pa.Table:
    """Clusters of two or more chunks at a threshold.

    Args:
        members: chunk_id binary(16), text_sha256 binary(32) of every current chunk, each once; optionally
            priority (a number: among equally linked texts the centre is the one with the highest, say the
            length).
        pairs: chunk_a, chunk_b, jaccard of verified pairs; those below the threshold or with a chunk that is
            no member are ignored.
        parameters: the threshold.

    Returns:
        `CLUSTER_SCHEMA`, a row for each chunk of a cluster of two or more, sorted by cluster_id and chunk_id.
        cluster_id is the centre: of several chunks with its text the smallest chunk_id.
    """
    members = members.take(pc.sort_indices(members, sort_keys=[("chunk_id", "ascending")])).combine_chunks()
    chunk_ids = members.column("chunk_id").combine_chunks()
    if not len(chunk_ids):
        return CLUSTER_SCHEMA.empty_table()
    # Chunks are in order, so the first one of a text has the smallest chunk_id.
    texts = (
        members.column("text_sha256").combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    )
    _, representative = np.unique(texts, return_index=True)
    n_texts = len(representative)
    links = make_links(n_texts, *_text_pairs(chunk_ids, texts, pairs, parameters))
    priority = np.zeros(n_texts)
    if "priority" in members.column_names:
        np.maximum.at(priority, texts, members.column("priority").to_numpy().astype(np.float64))
    rank = np.empty(n_texts, np.int64)
    rank[np.lexsort((representative, -priority, -links.degrees))] = np.arange(n_texts)
    centre_of, similarity = star_clusters(links, rank)
    return _memberships(chunk_ids, representative[centre_of][texts], similarity[texts], parameters)


def _text_pairs(
    chunk_ids: pa.Array, texts: Int64Array, pairs: pa.Table, parameters: ClusterParameters
) -> tuple[Int64Array, Int64Array, Float32Array]:
    """The pairs at or above the threshold, between texts instead of chunks."""
    pairs = pairs.filter(
        pc.greater_equal(pairs.column("jaccard"), pa.scalar(parameters.threshold, pa.float32()))
    )
    a, b = (
        pc.index_in(pairs.column(side).cast(CHUNK_ID), value_set=chunk_ids).combine_chunks()
        for side in ("chunk_a", "chunk_b")
    )
    current = pc.and_(pc.is_valid(a), pc.is_valid(b))
    a, b, similarities = (
        column.filter(current).to_numpy() for column in (a, b, pairs.column("jaccard").combine_chunks())
    )
    return texts[a], texts[b], similarities.astype(np.float32)


def _memberships(
    chunk_ids: pa.Array, centres: Int64Array, similarity: Float32Array, parameters: ClusterParameters
) -> pa.Table:
    """Rows of `CLUSTER_SCHEMA` for the chunks whose cluster has two or more."""
    sizes = np.bincount(centres, minlength=len(chunk_ids))
    rows = np.flatnonzero(sizes[centres] > 1)
    rows = rows[np.lexsort((rows, centres[rows]))]
    return pa.table(
        [
            chunk_ids.take(pa.array(rows)),
            chunk_ids.take(pa.array(centres[rows])),
            pa.array(np.full(len(rows), parameters.threshold, np.float32)),
            pa.array([parameters.version] * len(rows), pa.string()),
            pa.array(similarity[rows]),
        ],
        schema=CLUSTER_SCHEMA,
    )
