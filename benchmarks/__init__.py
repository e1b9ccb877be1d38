"""Measurements: each a command, `python -m benchmarks.<name>`, with its figures in `benchmarks/results/<name>.json`."""
