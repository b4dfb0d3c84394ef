"""A small sample of each kind of source, and what must hold of anything that was cleansed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as parquet
import zstandard

from warehouse.cleanser.chunking import Chunking
from warehouse.cleanser.chunks import DroppedSlice
from warehouse.cleanser.cleansing import CleanStream
from warehouse.cleanser.documents import DocumentRecord
from warehouse.cleanser.records import has_records
from warehouse.cleanser.replaying import ChunkDecision, replay

PROSE = (
    "The ship left the harbour at dawn. Nobody on the quay waved, for it was raining, and the captain's wife "
    "had stayed at home.\n\n“Naïve,” said the mate — and meant the café owner, who owed him 50 €.\n\n"
)
STORIES = [f"Story number {number}. {PROSE}" for number in range(6)]

MEDIAWIKI = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n'
    "  <siteinfo><sitename>Wiki</sitename></siteinfo>\n"
    + "".join(
        f"  <page><title>Ship {number}</title><ns>0</ns><id>{number}</id><revision><id>1</id>"
        f"<text bytes=\"9\" xml:space=\"preserve\">'''Ship {number}''' is a [[ship|large boat]]. {PROSE}</text>"
        "</revision></page>\n"
        for number in range(3)
    )
    + "</mediawiki>\n"
)
JATS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<article xmlns:xlink="http://www.w3.org/1999/xlink"><front>'
    "<article-meta><title-group><article-title>On ships</article-title></title-group>"
    f"<abstract><p>{PROSE}</p></abstract></article-meta></front>"
    f"<body><sec><title>Introduction</title><p>{PROSE}</p><p>{PROSE}</p></sec></body></article>\n"
)
HTML = (
    "<!DOCTYPE html><html><head><title>Ships</title><script>var x = 1;</script></head><body>"
    "<nav><a href='/'>Home</a> | <a href='/about'>About</a></nav><article><h1>Ships</h1>"
    + "".join(f"<p>{story}</p>" for story in STORIES)
    + "</article><footer>Copyright</footer></body></html>\n"
)


def parquet_bytes() -> bytes:
    """Two row groups of stories."""
    sink = io.BytesIO()
    table = pa.table({"id": list(range(6)), "text": STORIES})
    parquet.write_table(table, sink, row_group_size=3)
    return sink.getvalue()


SAMPLES: dict[str, bytes] = {
    "prose.txt": "".join(STORIES).encode(),
    "windows.txt": "".join(STORIES).encode("cp1252"),
    "wide.txt": b"\xff\xfe" + "".join(STORIES).encode("utf-16-le"),
    "changing.txt": ("Ein schöner Tag für Bücher und Öfen.\n" * 90).encode()
    + ("Ein schöner Tag für Bücher und Öfen.\n" * 90).encode("cp1252"),
    "mojibake.txt": "".join(STORIES).encode().decode("cp1252", "replace").encode(),
    "shifting.txt": "今日はとても良い天気です。\n明日は雨が降るでしょう。\n".encode("iso2022_jp") * 20,
    "book.md": f"---\ntitle: Ships\n---\n\n# Ships\n\n{''.join(STORIES)}".encode(),
    "fortunes": "\n%\n".join(STORIES).encode(),
    "rows.jsonl": "".join(json.dumps({"title": "S", "text": story}) + "\n" for story in STORIES).encode(),
    "array.json": json.dumps([{"text": story} for story in STORIES], ensure_ascii=False, indent=1).encode(),
    "table.csv": (
        "id,title,text\n" + "".join(f'{n},S,"{text}"\n' for n, text in enumerate(STORIES))
    ).encode(),
    "page.html": HTML.encode(),
    "article.xml": JATS.encode(),
    "dump.xml": MEDIAWIKI.encode(),
    "feed.xml": (
        "<notes>" + "".join(f"<note><p>{story}</p></note>" for story in STORIES) + "</notes>"
    ).encode(),
    "blank.txt": b" \n\t\n",
    "nothing.txt": b"",
    "random.bin": bytes(range(256)) * 9,
}


def _zip(data: bytes, name: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"folder/{name}", data)
        archive.writestr(name, data)
    return sink.getvalue()


def _tar(data: bytes, name: str) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return sink.getvalue()


CONTAINERS: dict[str, Callable[[bytes, str], bytes]] = {
    "gz": lambda data, _: gzip.compress(data),
    "bz2": lambda data, _: bz2.compress(data),
    "xz": lambda data, _: lzma.compress(data),
    "zst": lambda data, _: zstandard.ZstdCompressor().compress(data),
    "zip": _zip,
    "tar": _tar,
    "tar.gz": lambda data, name: gzip.compress(_tar(data, name)),
    "zip in tar": lambda data, name: _tar(_zip(data, name), "inner.zip"),
}


def assert_tiles(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    """The ranges follow each other from `start` to `end` without gap or overlap."""
    ordered = [(start, start), *sorted(ranges), (end, end)]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(ordered)), (ordered, start, end)
    assert all(first < last for first, last in ranges)


def assert_accounted(clean: CleanStream, chunking: Chunking) -> None:
    """Every byte of a stream is accounted for, and every chunk replays."""
    documents = clean.examination.documents
    outside = [(gap.byte_start, gap.byte_end) for gap in clean.examination.dropped]
    assert_tiles(
        outside + [(document.byte_start, document.byte_end) for document in documents],
        0,
        clean.stream.n_bytes,
    )
    assert [document.ordinal for document in documents] == list(range(len(documents)))
    for document in documents:
        _assert_document(clean, document, chunking)
    assert sum(chunk.ordinal == 0 for chunk in clean.chunks) <= len(documents)
    assert (clean.examination.error is None) == bool(documents)


def _assert_document(clean: CleanStream, document: DocumentRecord, chunking: Chunking) -> None:
    place = (document.byte_start, document.byte_end)
    is_record = has_records(document.reader)
    chunks = [chunk for chunk in clean.chunks if place[0] <= chunk.byte_start and chunk.byte_end <= place[1]]
    gaps = [
        gap
        for gap in clean.dropped
        if place[0] <= gap.byte_start and gap.byte_end <= place[1] and gap not in clean.examination.dropped
    ]
    if is_record and not chunks:
        assert [(gap.byte_start, gap.byte_end, gap.reason) for gap in gaps] == [(*place, "blank")]
    elif is_record:
        slices = [(gap.char_start, gap.char_end) for gap in gaps if isinstance(gap, DroppedSlice)]
        assert len(slices) == len(gaps)
        assert_tiles(
            slices + [(chunk.char_start, chunk.char_end) for chunk in chunks], 0, document.n_characters
        )
    else:
        ranges = [(part.byte_start, part.byte_end) for part in (*chunks, *gaps)]
        assert_tiles(ranges, *place)
    for number, chunk in enumerate(chunks):
        assert chunk.ordinal == number
        assert chunk.text.strip()
        assert replay(clean.stream, ChunkDecision.of(document, chunk)) == chunk.text
        assert len(chunk.text) <= chunking.max_characters
