"""Measures the bot from outside, and alternatives for comparison: `make bench`. The bot does not depend on it."""
