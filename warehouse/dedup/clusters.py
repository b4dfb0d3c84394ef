"""Bounded clusters from verified pairs, so that a chain of likenesses cannot swallow a corpus.

Chunks with the same text are one node; verified pairs at or above the threshold are its links. Star
clustering (Aslam, Pelekhov, Rus 2004): nodes are visited by descending number of links, then descending
priority, then ascending smallest chunk_id; a node that no centre is linked to becomes a centre. Then every
other node joins the centre that it resembles most (at equal similarity the one visited first). Therefore:

- every member has the same text as its centre or a verified link to it, so any two members of a cluster, and
  any keeper and any member, are at most two verified links apart;
- no two centres are linked: a choice of the centres alone holds no pair at or above the threshold;
- the result depends on the set of chunks and pairs, never on their order or on how often a pair is given.

DuckDB, under the memory limit of its connection, finds the texts, their links and at the end each member's centre;
in Python's memory is only who is linked to whom, 8 bytes a link: nothing for texts that resemble no other.

What lives here: pairs to memberships. What does not: which member is kept (the training view decides among
the chunks that pass every other rule).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.database import Connection, query, read_rows, run_script, scalar
from warehouse.dedup.candidates import Members, named_rows
from warehouse.errors import InvalidConfiguration
from warehouse.files import written_whole

CLUSTER_SCHEMA = pa.schema(
    [
        ("chunk_id", pa.binary()),
        ("cluster_id", pa.binary()),
        ("threshold", pa.float32()),
        ("rule_version", pa.string()),
        ("jaccard", pa.float32()),
    ]
)
"""The columns of ``corpus.duplicate_cluster``: ids of 16 bytes, and each member's similarity to the centre (1 for
the same text)."""

Int32Array = NDArray[np.int32]


@dataclass(frozen=True)
class ClusterParameters:
    """What a cluster is.

    Attributes:
        threshold: least Jaccard similarity of a link; compared in single precision, as similarities are
            stored.
        version: name of the rule.
        by_links: whether texts with more links are visited first; else priority alone decides.
    """

    threshold: float = 0.8
    version: str = "star-1"
    by_links: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise InvalidConfiguration(f"{self.threshold} is no Jaccard threshold", "Choose above 0, up to 1")


@dataclass(frozen=True)
class ClusterSummary:
    """What was grouped.

    Attributes:
        n_members: chunks in clusters of two or more.
        n_clusters: these clusters.
    """

    n_members: int
    n_clusters: int


def choose_centres(nodes: Int32Array, earlier: Int32Array, n_nodes: int) -> Int32Array:
    """The nodes that no earlier centre is linked to: the maximal independent set of greedy choice in order.

    Args:
        nodes: (n_links,) the later node of each link, ascending. Nodes are numbered in the order of choice.
        earlier: (n_links,) its earlier node.
        n_nodes: nodes in all.

    Returns:
        The centres, ascending.
    """
    is_centre = np.ones(n_nodes, np.bool_)
    starts = np.searchsorted(nodes, np.arange(n_nodes + 1))
    for node in np.unique(nodes):
        is_centre[node] = not is_centre[earlier[starts[node] : starts[node + 1]]].any()
    return np.flatnonzero(is_centre).astype(np.int32)


def write_clusters(
    connection: Connection, members: Members, pairs: Members, output: Path, parameters: ClusterParameters
) -> ClusterSummary:
    """Write the clusters of two or more chunks at a threshold.

    Args:
        connection: a scratch database with memory_limit and temp_directory set; temporary tables are left in it.
        members: chunk_id, text_sha256, is_current of every current chunk, each once, and priority (a number:
            among equally linked texts the centre is the one with the highest, say the length); others are
            ignored.
        pairs: chunk_a, chunk_b, jaccard of verified pairs; those below the threshold or with a chunk that is not
            current are ignored.
        output: `CLUSTER_SCHEMA` as Parquet, a row for each chunk of a cluster of two or more, sorted by cluster_id
            and chunk_id; written whole. cluster_id is the centre: of several chunks with its text the smallest.
        parameters: the threshold.
    """
    with named_rows(connection, "member", members), written_whole(output) as partial:
        with named_rows(connection, "pair", pairs):
            run_script(
                connection,
                "cluster_links",
                {"threshold": parameters.threshold, "by_links": parameters.by_links},
            )
        links = connection.execute(query("cluster_earlier_nodes")).fetchnumpy()
        n_nodes = scalar(connection, "SELECT count(*) FROM node")
        centres = choose_centres(links["node"], links["earlier"], n_nodes)
        with named_rows(connection, "centre", pa.table({"node": centres})):
            connection.execute(
                query("cluster_write"),
                {"threshold": parameters.threshold, "version": parameters.version, "path": str(partial)},
            )
    return read_rows(connection, query("cluster_summary"), {"path": str(output)}, ClusterSummary)[0]
