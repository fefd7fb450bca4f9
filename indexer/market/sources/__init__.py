"""Sources of market data, and what of their replies is believed."""
