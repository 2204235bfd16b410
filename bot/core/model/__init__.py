"""The core's values: builds, commands, outcomes, errors, claims, follows, policy. Nothing here does anything."""
