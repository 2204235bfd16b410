"""The views of the bot, as values: its form, its dialogs, its Home. Pure."""
