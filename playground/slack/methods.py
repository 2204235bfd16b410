"""The Web API's methods: permissions, errors and effects of each call. No HTTP here.

https://docs.slack.dev/reference/methods lists each method's arguments and errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.slack import block_rules as block_kit
from playground.slack.model import PEOPLE, TEAM, Block, Channel, Message
from playground.slack.outgoing.payloads import PREVIEW, message_object
from playground.slack.workspace import Workspace

MAX_CHARACTERS = 40_000
MAX_CHARACTERS_CHANGED = 4_000
BYTES_OF_A_VIEW = 250_000

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    """`body` None: a response that is not JSON."""

    body: Mapping[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body = {"ok": False, "error": error, **more}


@dataclass(frozen=True, slots=True)
class _Method:
    run: Callable[[Workspace, Arguments], Mapping[str, Any]]
    scope: str | None
    caller: Literal["bot", "app"] = "bot"


def answer(workspace: Workspace, method: str, token: str | None, arguments: Arguments) -> Response:
    """The response of `https://slack.com/api/<method>`."""
    with workspace.conversations.changed:
        refusal = workspace.refusals.next_for(method)
        if refusal is not None:
            body = {"ok": False, "error": refusal.error} if refusal.status < 500 else None
            wait = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
            return Response(body, refusal.status, wait)
        known = _METHODS.get(method)
        if known is None:
            return Response({"ok": False, "error": "unknown_method", "req_method": method})
        headers = {"x-oauth-scopes": ",".join(sorted(workspace.scopes)), "x-accepted-oauth-scopes": known.scope or ""}
        try:
            _check_token(workspace, known, token)
            return Response({"ok": True, **known.run(workspace, arguments)}, headers=headers)
        except _Refused as refused:
            return Response(refused.body, headers=headers)


def _check_token(workspace: Workspace, method: _Method, token: str | None) -> None:
    if not token:
        raise _Refused("not_authed")
    if token not in (workspace.bot_token, workspace.app_token):
        raise _Refused("invalid_auth")
    if token != (workspace.app_token if method.caller == "app" else workspace.bot_token):
        raise _Refused("not_allowed_token_type")
    if method.caller == "bot" and method.scope and method.scope not in workspace.scopes:
        raise _Refused("missing_scope", needed=method.scope, provided=",".join(sorted(workspace.scopes)))


def _auth_test(workspace: Workspace, _: Arguments) -> Mapping[str, Any]:
    app = workspace.app
    return {
        "url": f"https://{app.team.domain}.slack.com/",
        "team": app.team.name,
        "user": app.name,
        "team_id": app.team.id,
        "user_id": app.user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def _open_connection(workspace: Workspace, _: Arguments) -> Mapping[str, Any]:
    return {"url": workspace.new_link_url()}


def _post_message(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    channel = _reached(workspace, arguments, uninvited="chat:write.public" in workspace.scopes)
    message = _added(workspace, channel, arguments, "chat.postMessage")
    return {"channel": channel.id, "ts": message.ts, "message": message_object(workspace.app, message)}


def _post_ephemeral(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    channel = _reached(workspace, arguments)
    user = str(arguments.get("user", ""))
    if user not in channel.members:
        raise _Refused("user_not_in_channel")
    return {"message_ts": _added(workspace, channel, arguments, "chat.postEphemeral", user).ts}


def _update(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    channel, message = _own_message(workspace, arguments, "cant_update_message")
    text, blocks = _content(arguments, MAX_CHARACTERS_CHANGED)
    # Only blocks: the text stays. Only text: the blocks are removed.
    kept = message.text if arguments.get("text") is None else text
    changed = workspace.conversations.change(message, "chat.update", kept, blocks or ())
    shown = message_object(workspace.app, changed)
    return {"channel": channel.id, "ts": message.ts, "text": changed.text, "message": shown}


def _delete(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    channel, message = _own_message(workspace, arguments, "cant_delete_message")
    workspace.conversations.change(message, "chat.delete", "", deleted=True)
    return {"channel": channel.id, "ts": message.ts}


def _permalink(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    channel = _reached(workspace, arguments, uninvited=True)
    ts = str(arguments.get("message_ts", ""))
    if workspace.conversations.find(channel.id, ts) is None:
        raise _Refused("message_not_found")
    url = f"https://{workspace.app.team.domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": url}


def _channel_info(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    channel = _reached(workspace, arguments, uninvited=True)
    shared = {"is_shared": channel.is_shared, "is_ext_shared": channel.is_shared, "is_org_shared": False}
    membership = {"is_member": workspace.app.user_id in channel.members, "is_im": channel.kind == "im"}
    return {"channel": {"id": channel.id, "name": channel.name, "is_pending_ext_shared": False, **shared, **membership}}


def _unfurl(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    """Each preview is kept as a message of the app's, in the same conversation and thread."""
    channel_id, ts = str(arguments.get("channel", "")), str(arguments.get("ts", ""))
    if arguments.get("unfurl_id"):
        if not arguments.get("source"):
            raise _Refused("missing_source")
        channel_id, _, ts = str(arguments["unfurl_id"]).partition(":")
    message = workspace.conversations.find(channel_id, ts)
    if message is None:
        raise _Refused("cannot_find_message")
    unfurls = _parsed(arguments.get("unfurls"), "invalid_unfurls_format")
    if not isinstance(unfurls, Mapping) or not unfurls:
        raise _Refused("missing_unfurls")
    for url, preview in unfurls.items():
        if url not in message.text:
            raise _Refused("cannot_unfurl_url")
        _refuse_faults("invalid_unfurls_format", block_kit.judged(preview["blocks"]))
        workspace.conversations.add(
            message.channel_id,
            workspace.app.user_id,
            PREVIEW,
            url,
            preview["blocks"],
            bot_id=workspace.app.bot_id,
            thread_ts=message.thread_ts,
        )
    return {}


def _open_view(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    view = _parsed(arguments.get("view"), "invalid_arguments")
    trigger_id = str(arguments.get("trigger_id", ""))
    wrong = workspace.triggers.spend(trigger_id, workspace.conversations.now())
    if wrong:
        raise _Refused(wrong)
    _refuse_faults("invalid_arguments", block_kit.view_judged(view))
    if len(json.dumps(view).encode()) > BYTES_OF_A_VIEW:
        raise _Refused("view_too_large")
    return {"view": workspace.modals.show(workspace.triggers.owner(trigger_id), workspace.app.team.id, view)}


def _update_view(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    view = _parsed(arguments.get("view"), "invalid_arguments")
    _refuse_faults("invalid_arguments", block_kit.view_judged(view))
    changed = workspace.modals.update(str(arguments.get("view_id", "")), view)
    if changed is None:
        raise _Refused("not_found")
    workspace.conversations.changed.notify_all()
    return {"view": changed}


def _publish_view(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    view = _parsed(arguments.get("view"), "invalid_arguments")
    if "app_home_opened" not in workspace.app.events:
        raise _Refused("not_enabled")
    _refuse_faults("invalid_arguments", block_kit.view_judged(view))
    if view.get("type") != "home" or len(json.dumps(view).encode()) > BYTES_OF_A_VIEW:
        raise _Refused("invalid_arguments" if view.get("type") != "home" else "view_too_large")
    user = str(arguments.get("user_id", ""))
    if user not in workspace.names:
        raise _Refused("invalid_arguments")
    published = workspace.modals.publish(user, workspace.app.team.id, view)
    workspace.conversations.changed.notify_all()
    return {"view": published}


def _validate_blocks(_: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    given = [name for name in ("blocks", "message", "view") if arguments.get(name) is not None]
    if len(given) != 1:
        raise _Refused("invalid_arguments")
    (name,) = given
    document = _parsed(arguments[name], f"invalid_{name}")
    if name == "view":
        found = block_kit.view_judged(document)
    else:
        found = block_kit.judged(document.get("blocks", []) if isinstance(document, dict) else document)
    if found:
        errors = [{"pointer": it.pointer, "code": "failed_constraint", "message": it.words} for it in found]
        raise _Refused(f"invalid_{name}", errors=errors)
    return {}


def _list_group(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    members = workspace.user_groups.get(str(arguments.get("usergroup", "")))
    if members is None:
        raise _Refused("no_such_subteam")
    return {"users": sorted(members)}


def _user(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    person = next((person for person in PEOPLE if person.id == arguments.get("user")), None)
    if person is None:
        raise _Refused("user_not_found")
    is_guest = person.id in workspace.guests
    flags = {"is_restricted": is_guest, "is_ultra_restricted": False, "is_stranger": person.team_id != TEAM.id}
    return {"user": {"id": person.id, "team_id": person.team_id, "name": person.name, **flags}}


def _user_with_email(workspace: Workspace, arguments: Arguments) -> Mapping[str, Any]:
    """Members have their name's address at `acme.example`. Slack finds no one of another workspace."""
    own = [person for person in PEOPLE if person.team_id == TEAM.id]
    person = next((one for one in own if f"{one.name}@acme.example" == arguments.get("email")), None)
    if person is None:
        raise _Refused("users_not_found")
    return _user(workspace, {"user": person.id})


def _reached(workspace: Workspace, arguments: Arguments, *, uninvited: bool = False) -> Channel:
    """The channel of a call, if the app may write there."""
    named = str(arguments.get("channel", ""))
    for channel in workspace.conversations.channels:
        is_direct = channel.kind == "im" and channel.members == {named, workspace.app.user_id}
        is_called_so = channel.kind != "im" and channel.name == named.removeprefix("#")
        if channel.id != named and not is_direct and not is_called_so:
            continue
        is_member = workspace.app.user_id in channel.members
        if not is_member and channel.kind != "public":
            break  # a channel that the app may not see does not exist for it
        if channel.is_archived:
            raise _Refused("is_archived")
        if not is_member and not uninvited:
            raise _Refused("not_in_channel")
        return channel
    raise _Refused("channel_not_found")


def _own_message(workspace: Workspace, arguments: Arguments, otherwise: str) -> tuple[Channel, Message]:
    channel = _reached(workspace, arguments)
    message = workspace.conversations.find(channel.id, str(arguments.get("ts", "")))
    if message is None or message.ephemeral_to is not None:  # the API never returns ephemeral messages
        raise _Refused("message_not_found")
    if message.bot_id != workspace.app.bot_id:
        raise _Refused(otherwise)
    return channel, message


def _added(
    workspace: Workspace, channel: Channel, arguments: Arguments, via: str, ephemeral_to: str | None = None
) -> Message:
    text, blocks = _content(arguments, MAX_CHARACTERS)
    metadata = arguments.get("metadata")
    if metadata is not None:
        metadata = _parsed(metadata, "invalid_metadata_format")
        if not isinstance(metadata, Mapping):
            raise _Refused("invalid_metadata_format")
    thread_ts = arguments.get("thread_ts")
    return workspace.conversations.add(
        channel.id,
        workspace.app.user_id,
        via,
        text,
        blocks or (),
        bot_id=workspace.app.bot_id,
        thread_ts=None if thread_ts is None else str(thread_ts),
        ephemeral_to=ephemeral_to,
        metadata=metadata,
        is_broadcast=thread_ts is not None and arguments.get("reply_broadcast") is True,
    )


def _content(arguments: Arguments, limit: int) -> tuple[str, Sequence[Block] | None]:
    text = str(arguments.get("text") or "")
    blocks = arguments.get("blocks")
    if blocks is not None:
        blocks = _parsed(blocks, "invalid_blocks_format")
    if not text and not blocks:
        raise _Refused("no_text")
    if len(text) > limit:
        raise _Refused("msg_too_long")
    if blocks is not None:
        if block_kit.is_too_large(blocks):
            raise _Refused("msg_blocks_too_long")
        _refuse_faults("invalid_blocks", block_kit.judged(blocks))
    return text, blocks


def _refuse_faults(error: str, found: Sequence[block_kit.BlockProblem]) -> None:
    if found:
        words = [str(fault) for fault in found]
        raise _Refused(error, errors=words, response_metadata={"messages": [f"[ERROR] {word}" for word in words]})


def _parsed(value: Any, otherwise: str) -> Any:
    """A value that is text in a form and has its own type in JSON."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise _Refused(otherwise) from None
    return value


_METHODS: Mapping[str, _Method] = {
    "auth.test": _Method(_auth_test, None),
    "apps.connections.open": _Method(_open_connection, "connections:write", "app"),
    "chat.postMessage": _Method(_post_message, "chat:write"),
    "chat.postEphemeral": _Method(_post_ephemeral, "chat:write"),
    "chat.unfurl": _Method(_unfurl, "links:write"),
    "chat.update": _Method(_update, "chat:write"),
    "chat.getPermalink": _Method(_permalink, None),
    "chat.delete": _Method(_delete, "chat:write"),
    "conversations.info": _Method(_channel_info, "channels:read"),
    "users.info": _Method(_user, "users:read"),
    "users.lookupByEmail": _Method(_user_with_email, "users:read.email"),
    "usergroups.users.list": _Method(_list_group, "usergroups:read"),
    "views.open": _Method(_open_view, None),
    "views.publish": _Method(_publish_view, None),
    "views.update": _Method(_update_view, None),
    "blocks.validate": _Method(_validate_blocks, None),
}
