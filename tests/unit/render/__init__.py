"""Renders, compared with the files in tests/data/render."""
