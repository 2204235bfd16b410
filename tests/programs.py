"""Programs that some tests need and that are not Python packages."""

from __future__ import annotations

import os
import shutil

import pytest

PACKAGES = {"haproxy": "haproxy", "promtool": "prometheus", "systemd-analyze": "systemd", "strace": "strace"}
"""Each program with Debian's package that holds it; `.ci/run` installs them."""


def program(name: str) -> str:
    """The program's path. Skips the test if it is not installed; in CI the test fails instead."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        missing = f"{name} is not installed (Debian: apt-get install {PACKAGES[name]})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found
