"""Sends messages to Slack: replies, and live messages."""
