"""Feeds over the network: fetching and parsing. Implements the ports `Fetcher` and `Parser`."""
