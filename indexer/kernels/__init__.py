"""Kernels: compiled loops over bare arrays, written where the loop is the product.

Know numbers only. Must not know labels, dates, definitions or publication. A compiled body never
raises: the function in front of it checks shapes and documents it. `compile` alone knows a folder,
in which the code is kept; the rule of the catch-up states is here because it is the loop. `fill`
is offered to those who fill panels of their own; in the package nothing calls it.
"""
