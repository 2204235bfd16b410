"""What the bot is about: builds, restarts, the language. Standard library only, no I/O of its own."""
