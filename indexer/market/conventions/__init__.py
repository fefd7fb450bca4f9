"""Dated conventions of markets and index providers, as data: price limits, free-float ladders."""
