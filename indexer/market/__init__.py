"""Market data: calendars, prices, actions and reference data, brought in and checked.

Knows exchanges, files and data sources, and which rows a use of them rests on. Must not know how an
index is defined, weighed or levelled, nor signals.
"""
