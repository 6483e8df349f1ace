"""Fetching and parsing, with real sockets and processes."""
