"""Containers: files that hold byte streams, compressed or several in one. One file a format."""
