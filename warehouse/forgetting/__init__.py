"""Forgetting (DESIGN §5): a source file or a document goes from every place of the home, and does not come back.

    find what is meant -> record it and delete its rows (one transaction) -> rewrite every file that held it -> end

Recorded first: from then on no stage brings it back, and the same command, after a kill at any moment, does the rest.
"""
