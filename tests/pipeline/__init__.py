"""The whole program in this process: a real server, real sockets, and a clock that the test moves."""
