"""Queries of other systems."""
