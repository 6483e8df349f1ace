"""The whole chain over the embedded server: from an article parsed to its send started, and articles a second.

Matching, routing and delivering are the product's own; the receiver is a channel that notes the time. The bounds,
measured in the same run: a PING for the latency; bare pipelined XADDs of the same bytes for the rate.
Run: `python -m tests.benchmarks.bench_chain [--articles 2000]`.
"""
