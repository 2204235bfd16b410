"""A Slack bot that shows, restarts and follows CI builds."""

__version__ = "0.1.0"
