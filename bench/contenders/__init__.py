"""What is measured beside the bot: programs that do the same work, each started as a process of its own."""
