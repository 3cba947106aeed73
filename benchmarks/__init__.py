"""Benchmarks. Each module's docstring has its command; results are recorded in `benchmarks/RESULTS.md`."""
