"""Reading inline markup through a reader, as the cleanser does, for tests of markup readers."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from warehouse.cleanser.decoding import EncodingDecision
from warehouse.cleanser.readers.reader import DocumentRange, DroppedRange, Extracted, NoTextError, Reader
from warehouse.cleanser.streams import stream_of_bytes

ENCODINGS = [
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "utf-32-be",
    "cp1251",
    "shift_jis",
    "gb18030",
    "iso2022_jp",
    "cp037",
]


def ranges_of(
    reader: Reader, data: bytes, encoding: str | None = "utf-8", mark: int = 0
) -> list[DocumentRange | DroppedRange]:
    """What the reader finds, which must tile the bytes."""
    decision = EncodingDecision(encoding, 1.0, (), byte_order_mark_bytes=mark)
    found = list(reader.find_documents(stream_of_bytes(data, "a"), decision))
    end = 0
    for part in found:
        assert part.byte_start == end < part.byte_end
        end = part.byte_end
    assert end == len(data)
    return found


def read(reader: Reader, data: bytes, encoding: str = "utf-8", mark: int = 0) -> tuple[list[str], list[str]]:
    """Texts of the records, and the reasons for what was dropped, in order."""
    texts, reasons = [], []
    assert reader.extract is not None
    for part in ranges_of(reader, data, encoding, mark):
        if isinstance(part, DroppedRange):
            reasons.append(part.reason)
            continue
        try:
            texts.append(
                reader.extract(data[part.byte_start : part.byte_end].decode(encoding, "replace")).text
            )
        except NoTextError as failure:
            reasons.append(failure.reason)
    return texts, reasons


def scraps(spaced: str) -> st.SearchStrategy[str]:
    """Texts made of scraps of markup that are written one after the other."""
    return st.lists(st.sampled_from([*spaced.split(" "), " ", "\n"]), max_size=60).map("".join)


def extracted_or_reason(extract: Callable[[str], Extracted], text: str) -> Extracted | str:
    """What is extracted, or the reason why there is no text."""
    try:
        return extract(text)
    except NoTextError as failure:
        return failure.reason
