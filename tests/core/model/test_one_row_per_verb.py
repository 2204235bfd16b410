"""Code distinguishes a verb only in its row of the table, its operation, its message and its port method."""

from __future__ import annotations

import ast
from pathlib import Path

from bot.core.model.command_values import Verb
from bot.core.model.commands import entry_for

BOT = Path(__file__).parents[3] / "bot"

VALUE_AND_TABLE = {
    "core/model/command_values.py",
    "core/model/commands.py",
    "core/model/builds.py",
    "core/model/claims.py",
}
"""The verb with its row, the ability that a CI service needs for it, and the kind of its claims."""

OPERATION = {"core/operations.py", "core/actions/service.py", "core/actions/sender.py"}
MESSAGE = {"slack/messages/builds.py"}
PORT_METHOD = {"core/ports.py", "ci/codeship/client.py", "ci/github/client.py"}


SPELLINGS = (Verb.CANCEL.value, *entry_for(Verb.CANCEL).aliases)
"""A module with none of them need not be parsed."""


def names(verb: Verb, node: ast.AST) -> bool:
    """Whether it is the verb's value, one of its spellings, or a method of that name on a build.

    Its outcomes, such as `Cancelled`, are results with messages of their own and do not count.
    """
    match node:
        case ast.Attribute(attr=attr) if attr == verb.name:
            return True
        case ast.Constant(value=value) if value in (verb.value, *entry_for(verb).aliases):
            return True
        case ast.Attribute(attr=attr, value=ast.Attribute(attr="provider" | "_provider" | "_sender" | "actions")):
            return attr == verb.value
        case ast.FunctionDef(name=name, args=ast.arguments(args=args)) if name == verb.value:
            return "build" in [arg.arg for arg in args]
        case _:
            return False


def test_only_its_row_its_operation_its_message_and_its_port_method_name_the_verb_cancel() -> None:
    named_in = {
        str(path.relative_to(BOT))
        for path in BOT.rglob("*.py")
        if any(spelling in (text := path.read_text(encoding="utf-8")).lower() for spelling in SPELLINGS)
        and any(names(Verb.CANCEL, node) for node in ast.walk(ast.parse(text)))
    }
    assert named_in == VALUE_AND_TABLE | OPERATION | MESSAGE | PORT_METHOD
    assert len(named_in) <= 11
