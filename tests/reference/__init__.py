"""Slow, obvious implementations of the methodology page, which the package is judged by."""
