"""Names: patterns of them, Slack's ids, and what short names mean in a channel. Values; pure."""
