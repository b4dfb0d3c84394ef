"""Finding chunks again: by their words (``search.py``) and by their ids (``texts.py``)."""
