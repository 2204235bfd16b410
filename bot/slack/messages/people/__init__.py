"""Messages to one person: what they broke, and what is linked to them. Pure."""
