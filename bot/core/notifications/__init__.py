"""Channel notifications: what changed on a branch, and which channels get a message about it."""
