"""Use cases: what a user asks for, one function each, composed of the layers below.

Finds definitions, reads the market, calls index, signals and report, and hands back what they
made. Must not know arguments, exit codes, the clock or the screen.
"""
