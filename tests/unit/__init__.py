"""Decisions, each alone: no loop, no server, milliseconds."""
