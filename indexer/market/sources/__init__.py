"""Sources of market data, and what of their replies is believed.

Alone in the package it knows the network. Must not know which index needs a row, nor write what is
believed: that is `run`'s.
"""
