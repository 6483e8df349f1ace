"""The demo's newsroom and receivers, over real sockets."""
