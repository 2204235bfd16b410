"""The core's values: builds, commands, outcomes, errors, claims, follows, policy. No I/O."""
