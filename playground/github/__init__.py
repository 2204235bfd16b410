"""A simulated GitHub: REST API, apps and tokens, runs, webhooks."""
