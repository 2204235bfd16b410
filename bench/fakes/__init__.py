"""Lean fakes of Slack and CodeShip, each its own process, that count and time every call."""
