"""Checks responses against GitHub's OpenAPI description: what that does not allow raises `Undescribed`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import requests

SCHEMAS = Path(__file__).parents[2] / "schemas"
_REFUSED = {"$ref": "#/components/responses/not_found"}
_MOVED = {"$ref": "#/components/responses/moved_permanently"}
_ANYWHERE = {301: _MOVED, 307: _MOVED, 304: {"$ref": "#/components/responses/not_modified"}}
"""What any call may answer, though the description does not say so at each:
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Undescribed(AssertionError):
    """The description does not allow this."""


@cache
def description() -> Description:
    return Description(json.loads((SCHEMAS / "github-actions.openapi.json").read_text(encoding="utf-8")))


@cache
def of_webhooks() -> WebhookDescription:
    return WebhookDescription(json.loads((SCHEMAS / "github-webhooks.openapi.json").read_text(encoding="utf-8")))


class _Schemas:
    def __init__(self, openapi: Mapping[str, Any]) -> None:
        self._exact = _as_json_schema(openapi["components"]["schemas"], exact=True)
        self._lenient = _as_json_schema(openapi["components"]["schemas"], exact=False)

    def check_schema(self, name: str, value: Any) -> None:
        """Raises Undescribed unless the value is exactly one of the named schema."""
        self.check_value({"$ref": f"#/components/schemas/{name}"}, value, exact=True)

    def check_value(self, schema: Mapping[str, Any], value: Any, *, exact: bool) -> None:
        components = {"schemas": self._exact if exact else self._lenient}
        whole = {**_as_json_schema(schema, exact=exact), "components": components}
        validator = jsonschema.Draft202012Validator(whole, format_checker=_formats())
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        if error is not None:
            raise Undescribed(f"{error.json_path}: {error.message[:300]}")


class WebhookDescription(_Schemas):
    def check(self, event: str, payload: Mapping[str, Any]) -> None:
        """Raises Undescribed unless GitHub sends such a payload. Fields that it does not name pass."""
        name = "-".join(word for word in ("webhook", event, payload.get("action")) if word).replace("_", "-")
        if name not in self._lenient:
            raise Undescribed(f"no webhook {name}")
        self.check_value({"$ref": f"#/components/schemas/{name}"}, payload, exact=False)


class Description(_Schemas):
    def __init__(self, openapi: Mapping[str, Any]) -> None:
        super().__init__(openapi)
        self._paths: Mapping[str, Any] = openapi["paths"]
        self._responses: Mapping[str, Any] = openapi["components"]["responses"]
        self._by_pattern = [(_pattern(path), path) for path in self._paths]

    @property
    def operations(self) -> list[tuple[str, str]]:
        return [(method.upper(), path) for path, of_path in self._paths.items() for method in of_path]

    def path_of(self, path: str) -> str:
        """The described path that matches an actual one. Raises Undescribed."""
        by_name = re.sub(r"^/repositories/\d+", "/repos/by-id/by-id", path)
        for pattern, described in self._by_pattern:
            if pattern.fullmatch(by_name):
                return described
        raise Undescribed(f"no path {path}")

    def check(self, method: str, path: str, answer: requests.Response) -> None:
        """A success must have the body that is described for its status; a refusal may have that of any error."""
        self.check_body(method, self.path_of(path), answer.status_code, answer.content)

    def check_body(self, method: str, described: str, status: int, body: bytes) -> None:
        responses = self._paths[described][method.lower()]["responses"]
        response = responses.get(str(status), _ANYWHERE.get(status, _REFUSED if status >= 400 else None))
        if response is None:
            raise Undescribed(f"{method} {described} never answers {status}")
        while "$ref" in response:
            response = self._responses[response["$ref"].rpartition("/")[2]]
        if "content" in response:
            schema = response["content"]["application/json"]["schema"]
            self.check_value(schema, json.loads(body), exact=status < 300)
        elif body:
            raise Undescribed(f"{status} has no body")


def _as_json_schema(openapi: Any, *, exact: bool, in_all_of: bool = False) -> Any:
    """OpenAPI 3.0's dialect as JSON Schema: `nullable` becomes a type. `exact`: no field beyond those named.

    A part of an `allOf` cannot be exact: the other parts name fields too.
    """
    if isinstance(openapi, list):
        return [_as_json_schema(part, exact=exact, in_all_of=in_all_of) for part in openapi]
    if not isinstance(openapi, dict):
        return openapi
    schema = {
        name: held if name in {"enum", "required"} else _as_json_schema(held, exact=exact, in_all_of=name == "allOf")
        for name, held in openapi.items()
        if name not in {"nullable", "example", "examples", "discriminator"} or _names_fields(openapi)
    }
    if exact and isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not in_all_of:
        schema.setdefault("additionalProperties", False)
    if openapi.get("nullable") is not True:
        return schema
    if "$ref" in schema or "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _names_fields(openapi: Mapping[str, Any]) -> bool:
    """Whether this is a map from fields to schemas, in which any word is a field's name and no keyword."""
    return bool(openapi) and all(isinstance(held, dict) for held in openapi.values())


def _formats() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    checker.checks("date-time")(_is_time)
    checker.checks("uri")(_is_uri)
    return checker


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return bool(_TIME.fullmatch(value) and datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


def _pattern(path: str) -> re.Pattern[str]:
    """A branch's name may have slashes in it, unlike all others."""
    return re.compile(re.sub(r"\{\w+\}", lambda name: ".+" if name[0] == "{branch}" else "[^/]+", path))
