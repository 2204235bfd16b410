"""Which CI account belongs to which person, and what that person wants to hear. Values; pure."""
