"""The bot's dependencies: the reason for each, its licence, and the list for others (SBOM).

`pytest --update` rewrites the table of licences from the packages' metadata.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_packaging import PROJECT, imported_by, locked, text_of, wanted

ROOT = Path(__file__).parent.parent
LICENCES = ROOT / "docs" / "licences.md"
SPDX = {
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "ZPL 2.1": "ZPL-2.1",
}
"""Names in the free-text field of older packages, with their SPDX identifier."""

MAY_BE_DISTRIBUTED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "PSF-2.0", "ZPL-2.1"),
    "LGPL-3.0-only",  # unmodified, and replaceable in its folder: docs/licences.md
    "MPL-2.0",  # unmodified files
}


# Why it is there


def imports(*folders: str) -> set[str]:
    """The packages that the Python files in these folders import, by their names in the index."""
    distributions = packages_distributions()
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]
    modules = {name for path in paths for name in imported_by(path)}
    return {canonicalize_name(name) for module in modules for name in distributions.get(module, [])}


def explained(requirement: Requirement) -> bool:
    """Whether docs/decisions.md or the Makefile names it."""
    name = re.escape(requirement.name)
    return re.search(rf"(?i)(?<![\w-]){name}(?![\w-])", text_of("docs/decisions.md") + text_of("Makefile")) is not None


def without_a_reason(requirements: list[Requirement], imported: set[str]) -> list[str]:
    return [
        requirement.name
        for requirement in requirements
        if canonicalize_name(requirement.name) not in imported and not explained(requirement)
    ]


def test_every_dependency_of_the_bot_is_imported_or_explained() -> None:
    assert without_a_reason(wanted(), imports("bot")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "folders"),
    [("playground", ("playground",)), ("bench", ("bench",)), ("dev", ("tests", "bench", "playground"))],
)
def test_every_package_of_an_extra_is_imported_or_explained(extra: str, folders: tuple[str, ...]) -> None:
    own = [
        Requirement(line) for line in PROJECT["optional-dependencies"][extra] if not line.startswith("codeship-bot[")
    ]
    typed = {f"types-{name}" for name in imports("bot", *folders)}
    assert without_a_reason(own, imports(*folders) | typed) == []


def test_a_package_without_a_reason_is_found() -> None:
    assert without_a_reason([Requirement("left-pad>=1")], {"requests"}) == ["left-pad"]


# Its licence


def licence_of(name: str) -> str:
    """As an SPDX expression. Raises AssertionError if the package does not say one that this test knows."""
    metadata = distribution(name).metadata
    said = metadata.get("License-Expression") or metadata.get("License") or ""
    expression = SPDX.get(said, said)
    assert set(re.split(r" (?:AND|OR) ", expression)) <= MAY_BE_DISTRIBUTED, f"{name} says: {said[:80]!r}"
    return expression


def table() -> str:
    rows = [f"| `{name}` | {licence_of(name)} |" for name in sorted(locked("requirements.txt"))]
    return "\n".join(["| package | licence |", "| --- | --- |", *rows]) + "\n"


def test_the_table_of_licences_holds_every_package_that_is_distributed(update: bool) -> None:
    text = LICENCES.read_text(encoding="utf-8")
    before, _, rest = text.partition("<!-- licences -->\n")
    old, end, after = rest.partition("<!-- /licences -->")
    if update:
        LICENCES.write_text(f"{before}<!-- licences -->\n{table()}{end}{after}", encoding="utf-8")
    assert update or old == table()


# The list for others


@pytest.mark.slow
def test_the_sbom_lists_the_lock_with_its_hashes(tmp_path: Path) -> None:
    file = tmp_path / "sbom.cdx.json"
    recipe = text_of("Makefile").partition("\nsbom:")[2].partition("\n\n")[0].partition("\n")[2]
    command = recipe.replace("\\\n", " ").replace("@$(RUN)", "").replace("sbom.cdx.json", str(file)).split()
    subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, check=True)
    sbom = json.loads(file.read_text(encoding="utf-8"))
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", PROJECT["name"])
    listed = {component["name"]: component["version"] for component in sbom["components"]}
    assert listed == locked("requirements.txt")
    hashes = {
        entry["content"]
        for component in sbom["components"]
        for reference in component["externalReferences"]
        for entry in reference.get("hashes", [])
    }
    assert hashes == set(re.findall(r"--hash=sha256:(\w+)", text_of("requirements.txt")))
