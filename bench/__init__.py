"""Measures the bot from outside, beside what one would otherwise write: `make bench`. The bot knows nothing of it."""
