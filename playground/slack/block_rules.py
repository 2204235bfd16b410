"""Checks blocks, messages and views against Slack's types and limits. Renders and stores nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, cast

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

BLOCKS_OF_A_MESSAGE = 50
BLOCKS_OF_A_VIEW = 100
# Slack returns msg_blocks_too_long a little above this, depending on the blocks.
CHARACTERS_OF_A_MESSAGE = 13_200
CHARACTERS_OF_MARKDOWN = 12_000
CHARACTERS_OF_A_TEXT_OBJECT = 3_000
CHARTS_OF_A_MESSAGE = 2

ONLY_IN_MODALS = frozenset({"alert"})
# Kinds that Slack accepts but its type definitions do not describe completely.
UNDESCRIBED = frozenset({"data_visualization", "container", "auth_provider"})

# kind → dotted path → maximum number of characters
LENGTHS: Mapping[str, Mapping[str, int]] = {
    "header": {"text.text": 150},
    "section": {"text.text": 3_000},
    "button": {"text.text": 75, "value": 2_000, "url": 3_000, "accessibility_label": 75},
    "image": {"alt_text": 2_000, "image_url": 3_000, "title.text": 2_000},
    "input": {"label.text": 2_000, "hint.text": 2_000},
}
ANY_LENGTHS: Mapping[str, int] = {"block_id": 255, "action_id": 255, "placeholder.text": 150}
CONFIRM_LENGTHS: Mapping[str, int] = {"title.text": 100, "text.text": 300, "confirm.text": 30, "deny.text": 30}
OPTION_LENGTHS: Mapping[str, int] = {"text.text": 75, "value": 150, "description.text": 75}
VIEW_LENGTHS: Mapping[str, int] = {
    "title.text": 24,
    "submit.text": 24,
    "close.text": 24,
    "private_metadata": 3_000,
    "callback_id": 255,
}

# kind → list → (minimum and maximum number of items)
COUNTS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "actions": {"elements": (1, 25)},
    "context": {"elements": (1, 10)},
    "context_actions": {"elements": (1, 5)},
    "section": {"fields": (1, 10)},
    "overflow": {"options": (1, 5)},
    "checkboxes": {"options": (1, 10)},
    "radio_buttons": {"options": (1, 10)},
    "static_select": {"options": (1, 100), "option_groups": (1, 100)},
    "multi_static_select": {"options": (1, 100), "option_groups": (1, 100)},
}
CHARACTERS_OF_A_FIELD = 2_000


JsonPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class BlockProblem:
    """`path` is the path to the faulty part, within the message (`("blocks", 0, "text")`) or the view."""

    path: JsonPath
    words: str

    @property
    def pointer(self) -> str:
        return "/" + "/".join(map(str, self.path))

    def __str__(self) -> str:
        return f"{self.words} [json-pointer:{self.pointer}]"


def faults(blocks: object) -> list[str]:
    """What Slack would refuse in a message's blocks, each with its path; empty if it would accept them."""
    return [str(fault) for fault in judged(blocks)]


def message_faults(text: str | None, blocks: object = None) -> list[str]:
    """As `faults`, but stricter than Slack: the text must not be empty."""
    words = (
        [] if text and text.strip() else [BlockProblem(("text",), "a message needs text for phones and screen readers")]
    )
    return [str(fault) for fault in [*words, *(judged(blocks) if blocks is not None else ())]]


def judged(blocks: object) -> list[BlockProblem]:
    """As `faults`, but as values."""
    return [
        *_schema_problems("blocks", _described(blocks), ("blocks",)),
        *_of_blocks(blocks, BLOCKS_OF_A_MESSAGE),
        *_of_a_whole_message(blocks),
    ]


def view_judged(view: object) -> list[BlockProblem]:
    """What Slack would refuse in a modal or home view."""
    found = list(_schema_problems("view", view, ()))
    if isinstance(view, Mapping):
        found += _too_long(view, VIEW_LENGTHS, ())
        # The type definitions allow blocks of any type in a view.
        found += _schema_problems("blocks", _described(view.get("blocks", [])), ("blocks",))
        found += _of_blocks(view.get("blocks"), BLOCKS_OF_A_VIEW)
    return list(dict.fromkeys(found))


def options_judged(options: object) -> list[BlockProblem]:
    """What Slack would refuse in the options that an app offers; none at all are fine."""
    if options == []:
        return []
    menu = {"type": "static_select", "options": options}
    field = {"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": menu}
    return view_judged({"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [field]})


def is_too_large(blocks: object) -> bool:
    """Whether Slack would return msg_blocks_too_long."""
    return len(json.dumps(blocks, ensure_ascii=False)) > CHARACTERS_OF_A_MESSAGE


@cache
def _validator(name: str) -> Draft7Validator:
    # Compiled once, and only if a message is checked: reading the schema takes longer than checking.
    source = resources.files("playground") / "schemas" / f"block-kit.{name}.schema.json"
    schema = json.loads(source.read_text(encoding="utf-8"))
    quicker = {"anyOf": _any_of(schema["definitions"])}
    return cast(Draft7Validator, extend(Draft7Validator, quicker)(schema))  # type: ignore[no-untyped-call]


def _any_of(definitions: Mapping[str, Any]) -> Callable[..., Iterator[ValidationError]]:
    """As JSON Schema's `anyOf`, but several times as fast: branches with the instance's `type` are tried first."""

    @cache
    def kinds(reference: str) -> frozenset[str]:
        schema = definitions[reference.rpartition("/")[2]]
        kind = schema.get("properties", {}).get("type", {})
        inner = [kinds(branch["$ref"]) for branch in schema.get("anyOf", []) if "$ref" in branch]
        return frozenset({kind.get("const"), *kind.get("enum", [])}).union(*inner) - {None}

    def any_of(
        validator: Draft7Validator, branches: list[dict[str, Any]], instance: object, schema: object
    ) -> Iterator[ValidationError]:
        likely = [branch for branch in branches if "$ref" in branch and _kind(instance) in kinds(branch["$ref"])]
        if not any(validator.evolve(schema=branch).is_valid(instance) for branch in likely):
            yield from Draft7Validator.VALIDATORS["anyOf"](validator, branches, instance, schema)

    return any_of


def _described(blocks: object) -> object:
    """A divider replaces what the type definitions do not know, so that places stay correct."""
    if not isinstance(blocks, Sequence) or isinstance(blocks, str):
        return blocks
    return [{"type": "divider"} if _kind(block) in UNDESCRIBED else block for block in blocks]


def _schema_problems(schema: str, document: object, root: JsonPath) -> Iterator[BlockProblem]:
    for error in _validator(schema).iter_errors(document):
        sharp = _sharpest(error)
        path = root + tuple(sharp.absolute_path)
        if sharp.context and _kind(sharp.instance):
            yield BlockProblem((*path, "type"), f"unsupported type: {_kind(sharp.instance)[:40]}")
        else:
            yield BlockProblem(path, _words(sharp))


def _words(error: ValidationError) -> str:
    instance, required, schema = error.instance, error.validator_value, error.schema
    if error.validator == "required" and isinstance(instance, Mapping) and isinstance(required, list):
        return f"missing required field: {next(name for name in required if name not in instance)}"
    if error.validator == "additionalProperties" and isinstance(instance, Mapping) and isinstance(schema, Mapping):
        known = schema.get("properties", {})
        return f"invalid additional property: {next(name for name in instance if name not in known)}"
    return error.message[:160]


def _sharpest(error: ValidationError) -> ValidationError:
    """A union's error only says that no branch fits. The branch with the instance's `type` says why."""
    while error.context:
        fitting = _branches_of_its_type(error)
        if not fitting:
            return error
        error = min(fitting, key=len)[0]
    return error


def _branches_of_its_type(error: ValidationError) -> list[list[ValidationError]]:
    branches: dict[str | int, list[ValidationError]] = {}
    for branch_error in error.context or ():
        branches.setdefault(branch_error.relative_schema_path[0], []).append(branch_error)
    return [errors for errors in branches.values() if not any(map(_is_of_another_type, errors))]


def _is_of_another_type(error: ValidationError) -> bool:
    if error.context:  # a union within a union
        return not error.relative_path and not _branches_of_its_type(error)
    return error.validator in {"const", "enum"} and list(error.relative_path) == ["type"]


def _of_blocks(blocks: object, limit: int) -> Iterator[BlockProblem]:
    if not isinstance(blocks, Sequence) or isinstance(blocks, str):
        return
    if len(blocks) > limit:
        yield BlockProblem(("blocks",), f"no more than {limit} items allowed")
    yield from _repeated("block_id", (block.get("block_id") for block in blocks if isinstance(block, Mapping)), ())
    for number, block in enumerate(blocks):
        parts = [(path, node) for path, node in _parts(block, ("blocks", number)) if isinstance(node, Mapping)]
        yield from _repeated("action_id", (node.get("action_id") for _, node in parts), (number,))
        for path, node in parts:
            yield from _of_part(path, node)


def _of_part(path: JsonPath, node: Mapping[str, Any]) -> Iterator[BlockProblem]:
    kind = _kind(node)
    if kind in {"plain_text", "mrkdwn"}:
        if node.get("text") == "":
            yield BlockProblem((*path, "text"), "must be more than 0 characters")
        yield from _too_long(node, {"text": CHARACTERS_OF_A_TEXT_OBJECT}, path)
    yield from _too_long(node, ANY_LENGTHS, path)
    yield from _too_long(node, LENGTHS.get(kind, {}), path)
    for name, (least, limit) in COUNTS.get(kind, {}).items():
        items = node.get(name)
        if isinstance(items, Sequence) and len(items) > limit:
            yield BlockProblem((*path, name), f"no more than {limit} items allowed")
        if isinstance(items, Sequence) and len(items) < least:
            yield BlockProblem((*path, name), f"must have at least {least} item")
    if kind == "section":
        if not node.get("text") and not node.get("fields"):
            yield BlockProblem(path, "missing required field: text or fields")
        for number, field in enumerate(_items(node.get("fields"))):
            yield from _too_long(field, {"text": CHARACTERS_OF_A_FIELD}, (*path, "fields", number))
    for number, option in enumerate(_items(node.get("options"))):
        yield from _too_long(option, OPTION_LENGTHS, (*path, "options", number))
    confirm = node.get("confirm")
    if isinstance(confirm, Mapping) and "type" not in confirm:  # a dialog has its own `confirm`, which is a text
        yield from _too_long(confirm, CONFIRM_LENGTHS, (*path, "confirm"))


def _of_a_whole_message(blocks: object) -> Iterator[BlockProblem]:
    kinds = Counter(_kind(block) for block in _items(blocks))
    for kind in sorted(ONLY_IN_MODALS & set(kinds)):
        yield BlockProblem(("blocks",), f"{kind} blocks are for modals only")
    if kinds["data_visualization"] > CHARTS_OF_A_MESSAGE:
        yield BlockProblem(("blocks",), f"no more than {CHARTS_OF_A_MESSAGE} data_visualization blocks allowed")
    markdown = sum(len(str(block.get("text", ""))) for block in _items(blocks) if _kind(block) == "markdown")
    if markdown > CHARACTERS_OF_MARKDOWN:
        yield BlockProblem(("blocks",), f"markdown must be less than {CHARACTERS_OF_MARKDOWN + 1} characters in all")
    if is_too_large(blocks):
        yield BlockProblem(("blocks",), f"must be less than {CHARACTERS_OF_A_MESSAGE + 1} characters in all")


def _too_long(node: Mapping[str, Any], longest: Mapping[str, int], path: JsonPath) -> Iterator[BlockProblem]:
    for field, limit in longest.items():
        names = field.split(".")
        value: Any = node
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str) and len(value) > limit:
            yield BlockProblem((*path, *names), f"must be less than {limit + 1} characters")


def _repeated(name: str, values: Iterable[Any], path: JsonPath) -> Iterator[BlockProblem]:
    for value, count in Counter(value for value in values if isinstance(value, str) and value).items():
        if count > 1:
            yield BlockProblem(("blocks", *path), f"{name} {value!r} already exists")


def _parts(node: object, path: JsonPath) -> Iterator[tuple[JsonPath, object]]:
    """Every value in a document, with its path."""
    yield path, node
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _parts(value, (*path, name))
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from _parts(value, (*path, number))


def _kind(node: object) -> str:
    kind = node.get("type") if isinstance(node, Mapping) else None
    return kind if isinstance(kind, str) else ""


def _items(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []
