"""Pure decisions: no event loop, no fixtures."""
