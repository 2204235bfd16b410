"""The playground's web page: its data and its actions."""
