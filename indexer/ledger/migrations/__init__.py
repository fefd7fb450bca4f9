"""How the tables of the ledger came to be, one step a version; run by Alembic.

Each knows the tables as they were then, and nothing of the package as it is.
"""
