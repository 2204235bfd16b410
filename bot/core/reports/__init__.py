"""Digests that a channel gets daily or weekly: when they are due, what they say, and that each is posted once."""
