"""Dated conventions of markets and index providers, as data, and the functions that look them up.

Price limits, ticks, free-float ladders, finality of bars, plausible bounds, gate limits, the
hierarchy of sources and changes of symbol. Must not know tables of a market or who asks.
"""
