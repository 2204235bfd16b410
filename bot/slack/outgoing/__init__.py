"""From a message to Slack: replies, and live messages."""
