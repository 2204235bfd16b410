"""Messages about what a channel hears, subscribes to and names. Pure."""
