"""Benchmarks: proof of the kernels against their rivals, and what the commands cost."""
