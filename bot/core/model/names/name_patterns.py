"""Name patterns of repositories, branches and workflows, as policies, pins and subscriptions use them. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamePattern:
    """Name patterns: one of `meant` must match (any name if it is empty), and none of `exceptions`.

    `*` matches any characters, none, and slashes. Every other character matches itself.
    """

    patterns: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()

    def matches(self, name: str | None, *, any_case: bool = False) -> bool:
        """Whether `name` matches. None (all repositories, or a build without a branch) matches if every name would."""
        if name is None:
            return not self.exceptions and (not self.patterns or "*" in self.patterns)
        candidate = name.lower() if any_case else name

        def fits(pattern: str) -> bool:
            return fits_pattern(pattern.lower() if any_case else pattern, candidate)

        return (not self.patterns or any(map(fits, self.patterns))) and not any(map(fits, self.exceptions))

    def __bool__(self) -> bool:
        return bool(self.patterns or self.exceptions)

    def __str__(self) -> str:
        meant = ", ".join(self.patterns) or "*"
        return f"{meant} except {', '.join(self.exceptions)}" if self.exceptions else meant


ANY_NAME = NamePattern()
"""Matches every name."""


def fits_pattern(pattern: str, name: str) -> bool:
    """Whether the one pattern matches. Runs in linear time for every pattern, since names are untrusted."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    *between, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in between:
        result = name.find(part, at, end)
        if result < 0:
            return False
        at = result + len(part)
    return True
