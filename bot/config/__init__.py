"""Parses single settings, and the policy file."""
