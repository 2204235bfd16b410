"""A simulated Slack: Web API, Socket Mode, events, response URLs, block rules."""
