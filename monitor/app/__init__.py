"""The composition root: settings in, running services out. It alone knows which adapter stands behind a port."""
