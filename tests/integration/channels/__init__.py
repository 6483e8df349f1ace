"""Channels, each against a real server of its protocol."""
