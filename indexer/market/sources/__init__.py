"""Sources of market data: what they are asked, what they answer, and what is believed of it."""
