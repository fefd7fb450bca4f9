"""Signals: what two or three index lines say about each other.

Plain functions on arrays first, then the study that aligns the lines by what was known when and
puts the functions to them. Must not know market files, weights, publication or pages.
"""
