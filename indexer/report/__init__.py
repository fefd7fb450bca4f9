"""Surfaces: the page a reader opens and the files of one run.

Renders the records it is handed; what they do not hold it asks `index` and `signals` for. It works
out itself only how a figure is shown: a line at 100 on some session, episodes a thousand rows, a
share of the rows that have a z. Must not know kernels, market sources, the clock or the screen.
"""
