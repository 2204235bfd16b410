"""The tables behind notifications: subscriptions, mutes, what polls have seen, and deliveries."""
