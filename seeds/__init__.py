"""The bundled sample market: a synthetic one, its generator and the facts around it."""
