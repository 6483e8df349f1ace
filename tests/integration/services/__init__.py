"""The loops, over the ports in memory or the real server."""
