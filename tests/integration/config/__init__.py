"""`monitor.config` with a real file system."""
