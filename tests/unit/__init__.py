"""Tests of the core: no event loop, no fixtures, milliseconds."""
