"""Typed words, the verbs, and what a command asks for. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from bot.core.model.builds import BuildRef


@dataclass(frozen=True, slots=True)
class Word:
    """`spellings`, never empty: the exact word first, then cleaned ones in the order in which to try them."""

    spellings: tuple[str, ...]

    @classmethod
    def of(cls, *spellings: str) -> Word:
        """The spellings in order, without duplicates."""
        return cls(tuple(dict.fromkeys(spellings)))

    @property
    def exact(self) -> str:
        return self.spellings[0]

    @property
    def cleanest(self) -> str:
        return self.spellings[-1]


HERE = Word.of("")
"""The repository of a command that names none: the channel's default."""


class Verb(StrEnum):
    """Every verb, as people type it and as button values, stored results and metrics name it."""

    STATUS = "status"
    RESTART = "restart"
    CANCEL = "cancel"
    FOLLOW = "follow"
    LOGS = "logs"
    BUILDS = "builds"
    PROJECTS = "projects"
    USE = "use"
    ALIAS = "alias"
    SETTINGS = "settings"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    SUBSCRIPTIONS = "subscriptions"
    MUTE = "mute"
    UNMUTE = "unmute"
    PAUSE = "pause"
    RESUME = "resume"
    WHY = "why"
    FLAKY = "flaky"
    SLOW = "slow"
    DIGEST = "digest"
    ON_IT = "on-it"
    CHECK = "check"
    NOT_MINE = "not-mine"
    LINK = "link"
    UNLINK = "unlink"
    NOTIFY = "notify"
    AUDIT = "audit"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class BranchCommand:
    """A verb on a repository and a branch, as typed. Without a branch, the verb's operation decides which build.

    Either word may turn out to be the repository: `status of main on acme/web`. `confirmed`: a dialog has already asked
    for confirmation. `is_guess`: there was no verb, so `repo` must name something known; else `unknown_command` is the
    answer.
    """

    verb: Verb
    repo: Word
    branch: Word | None = None
    confirmed: bool = False
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class BuildCommand:
    """A verb on exactly this build, from a button.

    `instead_of` names the unknown claim (id and attempt) that a "Try again" replaces. `confirmed`: the button's own
    dialog has confirmed it. `in_live`: the button's message keeps its text: it changes by itself, or is a list.
    `failed_jobs_only`: only the failed jobs of the build's workflows, if the CI service can do that. `debug_logs`: the
    same of a re-run that logs more. `notify`: of a follow, the person only wants to be notified by the live message
    that is there already.
    """

    verb: Verb
    target: BuildRef
    instead_of: tuple[int, int] | None = None
    confirmed: bool = False
    in_live: bool = False
    failed_jobs_only: bool = False
    debug_logs: bool = False
    notify: bool = False


@dataclass(frozen=True, slots=True)
class ListProjects:
    """The repositories whose names contain each word of `filter`; `page` counts from 1."""

    verb: ClassVar[Verb] = Verb.PROJECTS

    filter: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class NameCommand:
    """Sets what `alias` means in the channel, or its default if that is empty. Without `repo` it is removed.

    `is_question`: shows all of them instead.
    """

    verb: Verb
    alias: str = ""
    repo: Word | None = None
    branch: Word | None = None
    is_question: bool = False


@dataclass(frozen=True, slots=True)
class CheckChannel:
    """Whether the channel can be notified at all."""

    verb: ClassVar[Verb] = Verb.CHECK


@dataclass(frozen=True, slots=True)
class ShowHistory:
    """Which branches are flaky or slow, of every repository that is watched."""

    verb: Verb


@dataclass(frozen=True, slots=True)
class ShowAudit:
    """The last actions, of one repository or of all."""

    verb: ClassVar[Verb] = Verb.AUDIT

    repo: Word | None = None


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """The short list of commands; with `MORE` as `topic` all about them, else the command that `topic` names."""

    verb: ClassVar[Verb] = Verb.HELP

    topic: str | None = None
