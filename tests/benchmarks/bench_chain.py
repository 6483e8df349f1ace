"""The whole chain over the embedded server: latency from parsed to send started, and articles a second on one core.

The bounds, measured in the same run: a PING for the latency, a bare pipelined XADD of the same bytes for the rate.
Run: `python -m tests.benchmarks.bench_chain [--articles 2000]`.
"""
