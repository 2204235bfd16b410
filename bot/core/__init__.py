"""The bot's subject: builds, restarts, the command language. Standard library only, no I/O."""
