"""What is known of exchange calendars: listings of exchange_calendars, and overlays of ours.

A ``.txt`` file is a snapshot of what the library lists, a ``.yaml`` file corrects or extends it.
Must not know who trades by them.
"""
