"""Definitions: what a basket or a study says, read strictly and checked whole.

Knows YAML, symbols and the rules a definition can be held to on its own. Must not know
market data, calendars or anything that is computed from them.
"""
