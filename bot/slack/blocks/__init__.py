"""The building blocks of messages: rich text, buttons, dialogs. Pure."""
