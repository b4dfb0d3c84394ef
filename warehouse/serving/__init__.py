"""Serving: chunks and token batches on demand, in-process or over Arrow Flight.

request + resume token -> source (a published version) -> order (seed) -> stream of batches with their positions
                                                             in-process: the caller | server -> wire -> client
"""
