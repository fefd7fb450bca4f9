"""The permanent record: what was published, when, from what, and everything corrected since.

Entries are appended and never changed; each holds the digest of the one before. Stores rows and
answers what was known at an instant. Must not know how a level is calculated, what a market is, or
how anything is drawn.
"""
