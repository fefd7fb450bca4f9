"""Sweeps: one study in many variants, or very many indices, by many processes or machines.

Plans independent tasks, has them done here or on a cluster, and tells what came out: the same
bytes for any number of workers and in any order. Must not know arguments, the clock or the screen.
"""
