"""The peer of ``cleansing.py``: a datatrove pipeline over one JSON Lines file, in a process of its own.

Run by that benchmark with the Python of an environment that holds `datatrove[processing,io]` and `spacy`; this file
imports nothing of ours. Reader, FTFY formatter, Gopher repetition, Gopher quality, C4 and FineWeb filters stand in
datatrove's order for FineWeb (its ``examples/fineweb.py``), with their default parameters.

Example: python benchmarks/datatrove_pipeline.py FOLDER FILE.jsonl [--keep-all]
prints one JSON line: documents read and kept, seconds of processor time after a warm-up document.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.formatters import FTFYFormatter
from datatrove.pipeline.readers import JsonlReader

WARM_UP = (
    "The tokenizer of words and sentences is loaded by this text. It counts for nothing; nor do its lines.\n"
    * 9
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("file")
    parser.add_argument(
        "--keep-all",
        action="store_true",
        help="filters measure but drop nothing: every filter sees every text",
    )
    arguments = parser.parse_args()
    filters = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(), FineWebQualityFilter()]
    formatter = FTFYFormatter()
    for step in filters:
        step.filter(Document(text=formatter.format(WARM_UP), id="warm-up"))
    reader = JsonlReader(arguments.folder, glob_pattern=arguments.file)
    n_read = n_kept = 0
    started = time.process_time()
    for document in reader.run(rank=0, world_size=1):
        n_read += 1
        document.text = formatter.format(document.text)
        if arguments.keep_all:
            passed = [step.filter(document) is True for step in filters]
            n_kept += all(passed)
        else:
            n_kept += all(step.filter(document) is True for step in filters)
    seconds = time.process_time() - started
    print(
        json.dumps(
            {
                "peer": f"datatrove {version('datatrove')}",
                "n_read": n_read,
                "n_kept": n_kept,
                "seconds": seconds,
            }
        )
    )


if __name__ == "__main__":
    main()
