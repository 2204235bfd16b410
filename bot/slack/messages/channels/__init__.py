"""Messages about a channel's notifications, subscriptions and names. Pure."""
