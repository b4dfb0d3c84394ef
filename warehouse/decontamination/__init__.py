"""Decontamination: finding evaluation items, and held-out text, in chunks."""
