"""The HTTP API and the live page: what the ledger says, over the network, read only.

Needs the extra ``web``. Nothing is computed here: an answer is rows of the ledger as they were
published, and says which entry it comes from. Must not know definitions, market data, or how a
level or signal is calculated.
"""
