"""Market data: calendars, prices, actions and reference data, brought in and checked.

Knows exchanges, files and data sources. Must not know indices, baskets or signals.
"""
