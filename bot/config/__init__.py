"""Reading one setting, and the policy file."""
