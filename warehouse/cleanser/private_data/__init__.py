"""How each kind of private data is recognised."""
