"""The CI services behind `CIProvider`: each a pure wire module and a dull shell."""
