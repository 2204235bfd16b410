"""Simulated events on GitHub: workflows that start and finish, re-runs by people, and faults of the service."""

from __future__ import annotations

from collections.abc import Callable

from playground.github import faults as moods
from playground.github import triggers
from playground.github.model import SandboxRun
from playground.github.sandbox import GITHUB_TOKEN, GitHubSandbox
from playground.github.state import GitHubWorld
from playground.http_host import faults as of_any_service
from playground.http_host.faults import CannedResponse, Fault
from playground.play.event_table import Said, gesture, one_of
from playground.sandbox import Sandbox
from playground.slack.model import CannotDo

_ENDINGS = {
    "passes": "success",
    "fails": "failure",
    "times out": "timed_out",
    "is cancelled": "cancelled",
    "is skipped": "skipped",
}
_WRONG_TOKEN = of_any_service.says("wrong token", CannedResponse(401, '{"message":"Bad credentials"}'), None, None)
_MOODS: dict[str, Callable[[], Fault]] = {
    "is fine": lambda: moods.FINE,
    "is slow": lambda: moods.slow(2),
    "is down": moods.down,
    "refuses the token": lambda: _WRONG_TOKEN,
    "asks to slow down": moods.secondary_limit,
    "loses the answer to a restart": lambda: moods.refuse(on="rerun", takes=True),
}
_RESETS_IN_S = 600


def _beside(sandbox: Sandbox) -> GitHubSandbox:
    if sandbox.github_sandbox is None:
        raise CannotDo("this sandbox has no GitHub")
    return sandbox.github_sandbox


def _world(sandbox: Sandbox) -> GitHubWorld:
    return _beside(sandbox).world


def _run(sandbox: Sandbox, said: Said) -> SandboxRun:
    return _beside(sandbox).newest(said["repo"], said["branch"], said["workflow"])


def _starts(sandbox: Sandbox, said: Said) -> None:
    _world(sandbox).start(_run(sandbox, said))


def _ends(sandbox: Sandbox, said: Said) -> None:
    _world(sandbox).finish(_run(sandbox, said), _ENDINGS[said["how"]])


def _fails_at(sandbox: Sandbox, said: Said) -> None:
    _world(sandbox).fail(_run(sandbox, said), said["job"], said["step"])


def _job_fails(sandbox: Sandbox, said: Said) -> None:
    _world(sandbox).finish_job(_run(sandbox, said), said["job"])


def _ends_as(sandbox: Sandbox, said: Said) -> None:
    _world(sandbox).finish(_run(sandbox, said), said["word"])


def _run_again(sandbox: Sandbox, said: Said) -> None:
    _world(sandbox).rerun(_run(sandbox, said), by=said["who"], failed_only=bool(said["failed"]))


def _mood(sandbox: Sandbox, said: Said) -> None:
    world, limits = _world(sandbox), _world(sandbox).accounts.limits
    world.mood = _MOODS[said["mood"]]()
    if world.mood == moods.FINE and limits.per_hour is not None:
        limits.leave(limits.per_hour)


def _over_its_limit(sandbox: Sandbox, _said: Said) -> None:
    _world(sandbox).accounts.limits.leave(0, _RESETS_IN_S)


def _tells_nobody(sandbox: Sandbox, _said: Said) -> None:
    _beside(sandbox).pause_webhooks()


def _tells(sandbox: Sandbox, _said: Said) -> None:
    _beside(sandbox).resume_webhooks()


def _requires_sign_on(sandbox: Sandbox, said: Said) -> None:
    """Only of classic tokens: the sandbox's becomes one."""
    world = _world(sandbox)
    world.add_token(GITHUB_TOKEN, kind="classic")
    world.accounts.require_sso(said["org"])


def _authorizes(sandbox: Sandbox, said: Said) -> None:
    _world(sandbox).accounts.authorize_sso(GITHUB_TOKEN, said["org"])


def _opens_pull(sandbox: Sandbox, said: Said) -> None:
    fork, number = said["fork"], int(said["number"])
    world = _world(sandbox)
    world.pull_request(said["repo"], said["branch"], number=number, fork=fork, by=said["who"])


def _queues(sandbox: Sandbox, said: Said) -> None:
    world = _world(sandbox)
    pull = triggers.open_pull(world, said["repo"], said["branch"], said["who"])
    triggers.queue(world, said["repo"], pull.number)


def _merges(sandbox: Sandbox, said: Said) -> None:
    world = _world(sandbox)
    triggers.merge(world, said["repo"], triggers.open_pull(world, said["repo"], said["branch"]).number)


def _scheduled(sandbox: Sandbox, said: Said) -> None:
    world = _world(sandbox)
    run = triggers.occur(world, "schedule", said["repo"], said["workflow"])
    if said["fails"]:
        world.fail(world.start(run))


def _deploys(sandbox: Sandbox, said: Said) -> None:
    triggers.deploy(_world(sandbox), said["repo"], said["environment"], by=said["who"])


def _reviews(sandbox: Sandbox, said: Said) -> None:
    approved = said["how"] == "approves"
    _world(sandbox).review(_run(sandbox, said), [said["environment"]], approved=approved)


def _comments(sandbox: Sandbox, said: Said) -> None:
    triggers.occur(_world(sandbox), "issue_comment", said["repo"], said["workflow"], by=said["who"])


_OF, _ON = r"the workflow (?P<workflow>.+) of (?P<repo>\S+)", r"on (?P<branch>\S+)"
_AGAIN = rf"(?P<who>[a-z]+) re-runs (?P<failed>the failed jobs of )?{_OF} {_ON}"

WORLD_EVENTS = (
    gesture("the workflow NAME of REPO starts on BRANCH", rf"{_OF} starts {_ON}", _starts),
    gesture(
        f"the workflow NAME of REPO {'|'.join(_ENDINGS)} on BRANCH", rf"{_OF} (?P<how>{one_of(_ENDINGS)}) {_ON}", _ends
    ),
    gesture(
        "the workflow NAME of REPO fails on BRANCH at JOB, STEP",
        rf"{_OF} fails {_ON} at (?P<job>[^,]+)(?:, (?P<step>.+))?",
        _fails_at,
    ),
    gesture(
        "the job JOB of the workflow NAME of REPO fails on BRANCH",
        rf"the job (?P<job>.+) of {_OF} fails {_ON}",
        _job_fails,
    ),
    gesture("the workflow NAME of REPO ends on BRANCH as “WORD”", rf"{_OF} ends {_ON} as “(?P<word>[^”]*)”", _ends_as),
    gesture("NAME re-runs [the failed jobs of] the workflow NAME of REPO on BRANCH", _AGAIN, _run_again),
    gesture(
        "NAME opens the pull request N of REPO from FORK BRANCH",
        r"(?P<who>[a-z]+) opens the pull request (?P<number>\d+) of (?P<repo>\S+) from (?P<fork>\S+) (?P<branch>\S+)",
        _opens_pull,
        ("A fork’s pull request", "mallory opens the pull request 12 of acme/site from mallory/site main"),
    ),
    gesture(
        "NAME queues BRANCH of REPO to be merged",
        r"(?P<who>[a-z]+) queues (?P<branch>\S+) of (?P<repo>\S+) to be merged",
        _queues,
        ("A merge queue’s run", "ada queues feature/coupons of acme/shop to be merged"),
    ),
    gesture(
        "the queue merges BRANCH of REPO",
        r"the queue merges (?P<branch>\S+) of (?P<repo>\S+)",
        _merges,
        ("The queue merges it", "the queue merges feature/coupons of acme/shop"),
    ),
    gesture(
        "the schedule starts the workflow NAME of REPO[, which fails]",
        rf"the schedule starts {_OF}(?P<fails>, which fails)?",
        _scheduled,
        ("The nightly fails", "the schedule starts the workflow Nightly of acme/shop, which fails"),
    ),
    gesture(
        "NAME deploys REPO to ENVIRONMENT",
        r"(?P<who>[a-z]+) deploys (?P<repo>\S+) to (?P<environment>.+)",
        _deploys,
        ("A deployment waits", "ada deploys acme/shop to production"),
    ),
    gesture(
        "NAME approves|rejects ENVIRONMENT for the workflow NAME of REPO on BRANCH",
        rf"[a-z]+ (?P<how>approves|rejects) (?P<environment>.+) for {_OF} {_ON}",
        _reviews,
        ("It is approved", "bob approves production for the workflow Deploy of acme/shop on main"),
    ),
    gesture(
        "NAME comments in REPO, which starts the workflow NAME",
        r"(?P<who>[a-z]+) comments in (?P<repo>\S+), which starts the workflow (?P<workflow>.+)",
        _comments,
        ("A comment starts a run", "mallory comments in acme/shop, which starts the workflow Triage"),
    ),
    gesture(f"GitHub {'|'.join(_MOODS)}", rf"GitHub (?P<mood>{one_of(_MOODS)})", _mood),
    gesture(
        "the organization ORG requires single sign-on",
        r"the organization (?P<org>\S+) requires single sign-on",
        _requires_sign_on,
    ),
    gesture("an admin authorizes the token for ORG", r"an admin authorizes the token for (?P<org>\S+)", _authorizes),
    gesture("GitHub is over its limit", r"GitHub is over its limit", _over_its_limit),
    gesture("GitHub’s webhooks are lost", r"GitHub’s webhooks are lost", _tells_nobody),
    gesture("GitHub’s webhooks arrive", r"GitHub’s webhooks arrive", _tells),
)
