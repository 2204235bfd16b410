"""From Slack to a parsed request: both transports, payloads, typed text, the worker pool."""
