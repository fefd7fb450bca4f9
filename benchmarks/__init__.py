"""Benchmarks: what the command line costs, measured in processes of its own."""
