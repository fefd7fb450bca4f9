"""Surfaces: the page a reader opens and the files of one run.

Renders the records it is handed and never computes a figure of its own. Must not know kernels,
market sources, the clock or the screen.
"""
