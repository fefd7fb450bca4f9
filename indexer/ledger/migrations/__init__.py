"""How the tables of the ledger came to be, one step a version; run by Alembic.

Each, in ``versions``, knows the tables and their triggers as they were then, and nothing of the
package as it is: a guard that changes changes by a step of its own.
"""
