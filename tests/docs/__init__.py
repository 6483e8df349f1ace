"""The documentation, run as tests."""
