"""A Slack bot that tells how a CI build stands and starts it again."""
