"""Which packages may import which, read from the source: core only itself, the others core, and app and cli all."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A part is a package or a module directly in `bot`, or the package `playground`. Each names the other parts that it may
# import; a part that is not named here may import the core alone. No part of `bot` may import the playground.
OUTER = {"core"}
MAY_IMPORT = {
    "core": set[str](),
    "ci": {"core", "config"},
    "config": {"core"},
    "logs": set[str](),
    "http_server": {"http_connections"},
    "http_connections": set[str](),
    "playground": {"core", "app", "logs"},
}
KNOW_ALL = {"app", "cli", "__main__"}
"""The composition root, and the command line that starts it or tries its pieces."""

READ_THE_ENVIRONMENT = {"bot/__main__.py", "playground/__main__.py"}
PRINT = {"bot/__main__.py", "playground/__main__.py", "playground/play/terminal.py"}

MAX_LINES = 400
MAX_FILES = 15

DOES_IO = {
    "socket",
    "ssl",
    "http",
    "urllib.request",
    "sqlite3",
    "subprocess",
    "asyncio",
    "select",
    "time",
    "os",
    "logging",
}
"""Modules of the standard library that the core must not use: it has ports for them."""


@dataclass(frozen=True)
class Source:
    """A module: its path from the root, and its text."""

    path: str
    text: str

    @property
    def part(self) -> str:
        """The package or module directly in `bot`; or the playground, which is one part."""
        first, second = Path(self.path).parts[:2]
        return first if first == "playground" else second.removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full name of everything imported, wherever in the module, relative imports resolved."""
        package = Path(self.path).parts[:-1]
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = list(package[: len(package) - node.level + 1]) if node.level else []
                stem = ".".join([*above, *filter(None, [node.module])])
                yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)


Findings = Iterator[tuple[int, str]]
Rule = Callable[[Source], Findings]


def imports_only_what_its_part_may(source: Source) -> Findings:
    allowed = MAY_IMPORT.get(source.part, OUTER) | {source.part}
    for line, name in source.imports():
        parts = name.split(".")
        if parts[0] == "playground" and source.part != "playground":
            yield line, f"imports {name}"
        if parts[0] == "bot" and len(parts) > 1 and parts[1] not in allowed and source.part not in KNOW_ALL:
            yield line, f"imports {name}"


def the_core_imports_the_standard_library_alone_and_no_io(source: Source) -> Findings:
    if source.part != "core":
        return
    for line, name in source.imports():
        top = name.partition(".")[0]
        if top != "bot" and top not in sys.stdlib_module_names:
            yield line, f"imports {name}, which is not in the standard library"
        if any(name == module or name.startswith(f"{module}.") for module in DOES_IO):
            yield line, f"imports {name}, which does I/O"


def the_environment_is_read_in_one_place(source: Source) -> Findings:
    if source.path in READ_THE_ENVIRONMENT:
        return
    words = {"environ", "environb", "getenv", "getenvb"}
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in words and getattr(node.value, "id", None) == "os":
            yield node.lineno, f"uses os.{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from ((node.lineno, f"imports os.{alias.name}") for alias in node.names if alias.name in words)


def only_a_terminal_is_printed_to(source: Source) -> Findings:
    if source.path in PRINT:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print":
            yield node.lineno, "prints"


def nothing_is_done_at_import(source: Source) -> Findings:
    """Expression calls, loops and `with` at the top level of a module are work; definitions are not."""
    if source.path == "bot/store/migrations/env.py":  # Alembic imports this file in order to run it
        return
    for node in source.tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Expr | ast.For | ast.While | ast.With) and not is_docstring:
            yield node.lineno, "does work at import"


def a_module_says_what_it_is_for(source: Source) -> Findings:
    if not source.text.startswith('"""'):
        yield 1, "has no docstring"


def a_file_is_no_longer_than_400_lines(source: Source) -> Findings:
    length = len(source.text.splitlines())
    if length > MAX_LINES:
        yield length, f"is longer than {MAX_LINES} lines"


def json_is_decoded_by_decoders_made_at_import(source: Source) -> Findings:
    """msgspec 0.22 crashes if two threads decode a type for the first time at once. A `Decoder` has seen its type."""
    if source.path == "bot/slack/stored_results.py":  # makes its decoders, and a test of its own lets threads race
        return
    if "msgspec" not in source.text:
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("msgspec.json.decode", "msgspec.convert"):
            yield node.lineno, f"calls {ast.unparse(node.func)}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = (ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call))
            if "msgspec.json.Decoder" in calls:
                yield node.lineno, "makes a decoder when it is called"


RULES: list[Rule] = [
    imports_only_what_its_part_may,
    the_core_imports_the_standard_library_alone_and_no_io,
    the_environment_is_read_in_one_place,
    only_a_terminal_is_printed_to,
    nothing_is_done_at_import,
    a_module_says_what_it_is_for,
    a_file_is_no_longer_than_400_lines,
    json_is_decoded_by_decoders_made_at_import,
]

OF_THE_BOT = [
    path
    for package in ("bot", "playground")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "node_modules" not in path.parts
]
OF_THE_TESTS = sorted((ROOT / "tests").rglob("*.py"))


def source_of(path: Path) -> Source:
    return Source(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))


def broken(rule: Rule, source: Source) -> list[str]:
    return [f"{source.path}:{line} {what}" for line, what in rule(source)]


def test_the_bot_keeps_every_rule():
    """A module is read and parsed once for all rules."""
    assert len(OF_THE_BOT) > 10
    assert [line for source in map(source_of, OF_THE_BOT) for rule in RULES for line in broken(rule, source)] == []


def crowded(modules: Iterable[str]) -> list[str]:
    """Folders that hold more modules than a folder may, `__init__.py` not counted."""
    count = Counter(str(Path(path).parent) for path in modules if Path(path).name != "__init__.py")
    return [folder for folder, number in count.items() if number > MAX_FILES]


def test_a_folder_has_few_modules():
    assert crowded(str(path.relative_to(ROOT)) for path in OF_THE_BOT) == []


def test_a_folder_with_too_many_modules_is_found():
    assert crowded(f"bot/core/m{n}.py" for n in range(MAX_FILES + 1)) == ["bot/core"]


def test_test_modules_have_docstrings():
    found = [line for path in OF_THE_TESTS for line in broken(a_module_says_what_it_is_for, source_of(path))]
    assert found == []


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("bot/core/a.py", "from bot.slack import text", imports_only_what_its_part_may),
        ("bot/core/a.py", "def f():\n    import bot.app.settings", imports_only_what_its_part_may),
        ("bot/core/a.py", "from ..ci import codeship", imports_only_what_its_part_may),
        ("bot/slack/a.py", "from bot.ci.codeship.client import CodeShip", imports_only_what_its_part_may),
        ("bot/slack/a.py", "from bot import store", imports_only_what_its_part_may),
        ("bot/http_server.py", "from bot.slack import listeners", imports_only_what_its_part_may),
        ("bot/store/a.py", "from bot.app.bot import Bot", imports_only_what_its_part_may),
        ("playground/a.py", "from bot.slack import messages", imports_only_what_its_part_may),
        ("bot/app/a.py", "from playground.sandbox import Stage", imports_only_what_its_part_may),
        ("bot/core/a.py", "import playground", imports_only_what_its_part_may),
        ("bot/core/a.py", "import requests", the_core_imports_the_standard_library_alone_and_no_io),
        ("bot/core/a.py", "from urllib.request import urlopen", the_core_imports_the_standard_library_alone_and_no_io),
        ("bot/core/a.py", "from time import sleep", the_core_imports_the_standard_library_alone_and_no_io),
        ("bot/ci/a.py", "import os\nx = os.environ['A']", the_environment_is_read_in_one_place),
        ("bot/ci/a.py", "from os import getenv", the_environment_is_read_in_one_place),
        ("bot/ci/a.py", "def f():\n    print('x')", only_a_terminal_is_printed_to),
        ("bot/ci/a.py", "configure()", nothing_is_done_at_import),
        ("bot/ci/a.py", "x = 1", a_module_says_what_it_is_for),
        ("bot/ci/a.py", "x = msgspec.json.decode(b'', type=A)", json_is_decoded_by_decoders_made_at_import),
        ("bot/ci/a.py", "def f():\n    msgspec.json.Decoder(A)", json_is_decoded_by_decoders_made_at_import),
        ("bot/ci/a.py", "\n" * 401, a_file_is_no_longer_than_400_lines),
    ],
)
def test_every_rule_finds_a_violation(path, text, rule):
    assert broken(rule, Source(path, text)) != []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "bot/core/a.py",
            "from bot.core.ports import Clock\nfrom . import errors\nfrom urllib.parse import quote",
        ),
        ("bot/slack/a.py", "import requests\nfrom bot.core import ports\nfrom .text import clean"),
        ("bot/app/bot.py", "from bot.ci.codeship.client import CodeShip\nfrom bot.slack import listeners"),
        ("playground/a.py", "from bot.app.bot import Bot"),
        ("bot/__main__.py", "import os\nx = os.environ\nif __name__ == '__main__':\n    print(x)"),
        ("bot/ci/a.py", "import os\nX = os.path.sep"),
    ],
)
def test_code_that_keeps_the_rules_passes(path, text):
    found = [line for rule in RULES for line in broken(rule, Source(path, f'"""Its job."""\n{text}'))]
    assert found == []
