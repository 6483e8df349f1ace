"""The store with a real server."""
