"""Adapters, each against a real server."""
