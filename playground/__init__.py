"""The world that the bot is tried in: a Slack workspace and a CI service of its own, and ways to play in it."""
