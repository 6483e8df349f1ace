"""The loops: each takes from a port, asks the core what to do, and carries it out through ports."""
