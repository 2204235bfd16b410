"""The commands about notifications: their values, and how their words are read."""
