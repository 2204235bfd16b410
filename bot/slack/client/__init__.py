"""Slack's Web API: the client, the bot's identity, user groups."""
