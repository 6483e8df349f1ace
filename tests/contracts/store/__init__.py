"""The ports of the store: in memory, on one server, on a cluster."""
