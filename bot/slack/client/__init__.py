"""Slack's Web API: the client, whose token it is, user groups."""
