"""Finds the project, branch or build for a typed name or a pasted URL."""
