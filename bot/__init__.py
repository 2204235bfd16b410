"""A Slack bot that tells how a CI build stands and starts it again."""

__version__ = "0.1.0"
