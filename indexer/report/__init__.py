"""Surfaces: the page a reader opens and the files of one run.

Renders the records it is handed; what they do not hold it asks `signals` for, so that no formula
stands here. Must not know kernels, market sources, the clock or the screen.
"""
