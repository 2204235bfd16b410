"""Restart and cancel: decide, claim, send once, find out what happened."""
