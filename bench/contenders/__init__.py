"""The programs that the bot is compared with. They do the same work, each as its own process."""
