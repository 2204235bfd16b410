"""The language: what people can say, in one table that feeds the parser, the help and the README. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.core.model.builds import BuildRef
from bot.core.model.errors import NotUnderstood


@dataclass(frozen=True, slots=True)
class Word:
    """`spellings`, never empty: the exact word first, then cleaned ones in the order in which to try them."""

    spellings: tuple[str, ...]

    @classmethod
    def of(cls, *spellings: str) -> Word:
        """Without repetitions, in order."""
        return cls(tuple(dict.fromkeys(spellings)))

    @property
    def exact(self) -> str:
        return self.spellings[0]

    @property
    def cleanest(self) -> str:
        return self.spellings[-1]


@dataclass(frozen=True, slots=True)
class StatusOf:
    """The newest build of a branch; without one, of each branch with recent builds."""

    repo: Word
    branch: Word | None = None


@dataclass(frozen=True, slots=True)
class RestartOf:
    """Run the newest build of a branch again. `confirmed`: a dialog has asked whether to, as one on a button does."""

    repo: Word
    branch: Word | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class BuildsOf:
    """The last builds."""

    repo: Word
    branch: Word | None = None


@dataclass(frozen=True, slots=True)
class ListProjects:
    """The repositories whose names hold each of the words of `filter`; `page` counts from 1."""

    filter: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """What can be said: all of it, or one command."""

    topic: str | None = None


@dataclass(frozen=True, slots=True)
class ShowBuild:
    """A button's: exactly this build."""

    target: BuildRef


@dataclass(frozen=True, slots=True)
class RestartBuild:
    """A button's: run exactly this build again.

    `instead_of` names the unknown claim (its id and attempt) that a "Try again" replaces. `confirmed`: the button's
    own dialog has asked whether to. `in_live`: the button stands in a live message, which keeps what it says.
    `failed_jobs_only`: of its workflows only the jobs that failed, where the CI service can.
    """

    target: BuildRef
    instead_of: tuple[int, int] | None = None
    confirmed: bool = False
    in_live: bool = False
    failed_jobs_only: bool = False


@dataclass(frozen=True, slots=True)
class StopOf:
    """Stop the newest build of a branch."""

    repo: Word
    branch: Word | None = None


@dataclass(frozen=True, slots=True)
class StopBuild:
    """A button's: stop exactly this build."""

    target: BuildRef


@dataclass(frozen=True, slots=True)
class FollowOf:
    """Follow the build of a branch that runs now to its end, in a live message."""

    repo: Word
    branch: Word | None = None


@dataclass(frozen=True, slots=True)
class FollowBuild:
    """A button's: follow exactly this build."""

    target: BuildRef


@dataclass(frozen=True, slots=True)
class ShowAudit:
    """The last actions, of one repository or of all."""

    repo: Word | None = None


Command = (
    StatusOf
    | RestartOf
    | BuildsOf
    | ListProjects
    | ShowHelp
    | ShowBuild
    | RestartBuild
    | StopOf
    | StopBuild
    | FollowOf
    | FollowBuild
    | ShowAudit
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table. `usage` follows the command's or the mention's name; `<x>` must be given, `[x]` may."""

    verb: str
    usage: str
    answer: str
    example: str


TABLE = (
    Entry(
        "status",
        "status <repo> [branch]",
        "How the newest build of the branch stands. Without a branch: the newest build of each branch.",
        "status acme/web main",
    ),
    Entry(
        "restart",
        "restart <repo> [branch]",
        "Runs the newest build of the branch again. Without a branch: asks which, where there are several.",
        "restart acme/web main",
    ),
    Entry(
        "stop",
        "stop <repo> [branch]",
        "Stops the build that runs now, where its CI service can (CodeShip cannot).",
        "stop acme/shop feature/coupons",
    ),
    Entry(
        "follow",
        "follow <repo> [branch]",
        "Follows the build that runs now to its end, in one message that changes. Restarted builds are, anyway.",
        "follow acme/web feature/login",
    ),
    Entry(
        "builds",
        "builds <repo> [branch]",
        "The last ten builds, newest first.",
        "builds acme/web main",
    ),
    Entry(
        "projects",
        "projects [words]",
        "The repositories that I can see, those whose names hold the words.",
        "projects web",
    ),
    Entry(
        "audit",
        "audit [repo]",
        "The last actions, newest first: who asked for what, where, and what came of it.",
        "audit acme/web",
    ),
    Entry(
        "help",
        "help [command]",
        "What can be said, or how one command is used.",
        "help restart",
    ),
)

VERBS = tuple(entry.verb for entry in TABLE)


def entry_for(verb: str) -> Entry:
    """The row of a verb that is in the table. Raises KeyError otherwise."""
    for entry in TABLE:
        if entry.verb == verb:
            return entry
    raise KeyError(verb)


def parse(words: Sequence[Word]) -> Command:
    """What the words ask for. Raises NotUnderstood, which names what is wrong and what could be said instead."""
    words = _without_closing_signs(words)
    if not words:
        return ShowHelp()
    verb = _verb(words[0])
    match verb, list(words[1:]):
        case "help", [topic, *_]:
            return ShowHelp(_verb(topic))
        case "help", []:
            return ShowHelp()
        case "projects", rest:
            return ListProjects(" ".join(word.cleanest for word in rest))
        case "audit", []:
            return ShowAudit()
        case "audit", [repo]:
            return ShowAudit(repo)
        case "audit", [repo, *_]:
            raise NotUnderstood("The audit is of one repository or of all.", "audit", instead=f"audit {repo.cleanest}")
        case ("status" | "restart" | "stop" | "follow" | "builds") as asked, []:
            raise NotUnderstood("Which repository?", asked)
        case "status", [repo]:
            return StatusOf(repo)
        case "status", [repo, branch]:
            return StatusOf(repo, branch)
        case "restart", [repo]:
            return RestartOf(repo)
        case "restart", [repo, branch]:
            return RestartOf(repo, branch)
        case "stop", [repo]:
            return StopOf(repo)
        case "stop", [repo, branch]:
            return StopOf(repo, branch)
        case "follow", [repo]:
            return FollowOf(repo)
        case "follow", [repo, branch]:
            return FollowOf(repo, branch)
        case "builds", [repo]:
            return BuildsOf(repo)
        case "builds", [repo, branch]:
            return BuildsOf(repo, branch)
        case str() as asked, [repo, branch, *rest]:
            said = " ".join(word.exact for word in (branch, *rest))
            raise NotUnderstood(
                f"A branch is one word, and I read several: {said}",
                asked,
                instead=f"{asked} {repo.cleanest} {branch.cleanest}",
            )
        case _:
            raise _no_such_verb(words)


def _without_closing_signs(words: Sequence[Word]) -> Sequence[Word]:
    """`status acme/web main ?`: the sign stands apart where people write so, and is no word."""
    while words and set(words[-1].exact) <= set("?!."):
        words = words[:-1]
    return words


def _verb(word: Word) -> str | None:
    for spelling in word.spellings:
        if spelling.lower() in VERBS:
            return spelling.lower()
    return None


def _no_such_verb(words: Sequence[Word]) -> NotUnderstood:
    first, *rest = words
    said = first.cleanest
    after = [word.cleanest for word in rest]
    meant = get_close_matches(said.lower(), VERBS, n=1, cutoff=0.6)
    if meant:
        return NotUnderstood(f"I do not know “{said}”.", meant[0], instead=" ".join([meant[0], *after[:2]]))
    if "/" in said and len(words) <= 2:
        return NotUnderstood(f"“{said}” looks like a repository.", "status", instead=" ".join(["status", said, *after]))
    return NotUnderstood(f"I do not know “{said}”.")
