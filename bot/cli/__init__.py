"""The commands of `python -m bot`: check, migrate, audit."""
