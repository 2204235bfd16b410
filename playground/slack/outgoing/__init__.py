"""What Slack sends to the bot: payloads, by HTTP requests or over Socket Mode."""
