"""A simulated Slack, CodeShip and GitHub to try the bot in, and ways to play with them."""
