"""The tables behind notifications: subscriptions and mutes, and what was told."""
