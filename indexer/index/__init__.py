"""Index mathematics: from a basket and a panel to levels, step by step as the methodology reads.

Pure: everything it needs is handed to it. Must not know files, the clock, signals or publication.
A decision at a reference date sees ``panel.upto(reference)`` and nothing else.
"""
