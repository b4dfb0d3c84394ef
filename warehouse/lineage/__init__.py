"""Lineage both ways: from anything that has an identifier to what it was made of and what was made of it.

    tracing.py       any identifier -> a tree of what the lineage views hold of it
    token_place.py   a token of a shard -> its chunk and what decided that chunk's text, from the database
    token_proof.py   the same place -> raw bytes, by replaying them
    alignment.py     characters of a clean text -> the bytes that they come from
    tree.py          what a tree is

What does not live here: how a tree looks (``fakesmrt_assets/cli/tracing.py``).
"""
