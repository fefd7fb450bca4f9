"""The command line: arguments, clock, environment, screen and exit codes.

Everything else is a use case. Must not know how anything is computed, stored or drawn.
"""
