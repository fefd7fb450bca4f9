"""Kernels: compiled loops over bare arrays, written where the loop is the product.

Know numbers only. Must not know labels, dates, files, definitions or policy, and never raise:
the function in front of each compiled body checks shapes and documents it.
"""
