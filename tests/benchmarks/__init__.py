"""Figures, each beside a peer or a bound measured in the same run. Run one as `python -m tests.benchmarks.bench_…`."""
