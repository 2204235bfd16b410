"""Turns an outcome or an error into a message. One file per subject, pure."""
