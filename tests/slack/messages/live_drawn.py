"""A live message in each of its states, and the messages around it; each rendered once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model import errors
from bot.core.model.builds import Actor, Location, Status
from bot.core.model.follows import Follow, FollowState, FollowView
from bot.core.model.outcomes import AlreadyRestarted, Followed, StillRunning
from bot.core.model.verdicts import verdict_on
from bot.slack.blocks.message import Message
from bot.slack.messages.live import followed, followed_elsewhere, live, lost, not_followed, reply, will_notify
from tests.slack.messages.one_service import BARE, CLAIM, FAILED, HOSTILE, HOW, PASSED, QUEUED, RUNNING, UNKNOWN, WEB
from tests.slack.several import NOW

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
P, F = Status.PASSED, Status.FAILED
FOLLOW = Follow(
    key="command:1",
    service="codeship",
    project_id=WEB.id,
    build_id=FAILED.id,
    run_number=2,
    branch="main",
    asker=ADA,
    location=Location("C0BUILDS"),
    message_ts="1418738832.000100",
    began_at=NOW - timedelta(minutes=4),
    restarted=True,
)
OF_ANY = replace(FOLLOW, restarted=False, run_number=1)
ENDED, GIVEN_UP = (
    replace(FOLLOW, state=FollowState.ENDED),
    replace(FOLLOW, state=FollowState.GIVEN_UP, began_at=NOW - timedelta(hours=3)),
)
PASSES = replace(PASSED, id=FAILED.id, branch="main")
BROKEN = replace(FAILED, status=Status.INFRASTRUCTURE_FAILURE, status_word="infrastructure_failure")
NAMELESS = replace(BARE, project=WEB, branch="main", status=Status.UNKNOWN, status_word="")
LINK = "https://acme.slack.com/archives/C0BUILDS/p1418738832000100"
DOWN = errors.Unreachable("CodeShip")
SHOWN: dict[str, FollowView] = {
    "queued": FollowView(FOLLOW, QUEUED),
    "running": FollowView(FOLLOW, RUNNING),
    "running_followed": FollowView(OF_ANY, RUNNING),
    "list_lags": FollowView(FOLLOW, FAILED),
    "unknown_word": FollowView(FOLLOW, UNKNOWN),
    "late": FollowView(FOLLOW, RUNNING, late_s=180.0, late_because=DOWN),
    "late_and_nothing_known": FollowView(
        FOLLOW, NAMELESS, late_s=180.0, late_because=errors.RateLimitExhausted("CodeShip")
    ),
    "flaky": FollowView(ENDED, PASSES, verdict_on([F], P)),
    "flaky_the_other_way": FollowView(ENDED, FAILED, verdict_on([P], F)),
    "real": FollowView(ENDED, FAILED, verdict_on([P, F, F], F)),
    "steady": FollowView(ENDED, PASSES, verdict_on([P], P)),
    "infrastructure_failure": FollowView(ENDED, BROKEN, verdict_on([F], Status.INFRASTRUCTURE_FAILURE)),
    "after_a_stopped_run": FollowView(ENDED, PASSES, verdict_on([Status.STOPPED], P)),
    "no_earlier_run": FollowView(ENDED, PASSES, verdict_on([], P)),
    "first_run": FollowView(replace(OF_ANY, state=FollowState.ENDED), PASSES),
    "unseen": FollowView(ENDED, FAILED, unseen=True),
    "overtaken": FollowView(ENDED, RUNNING, overtaken=True, overtaken_by=replace(CLAIM, actor=BOB)),
    "overtaken_by_nobody_knows_whom": FollowView(ENDED, PASSES, overtaken=True),
    "given_up": FollowView(GIVEN_UP, RUNNING),
    "given_up_out_of_sight": FollowView(GIVEN_UP, RUNNING, late_s=9000.0, late_because=errors.Unauthorized("CodeShip")),
    "given_up_since_it_is_gone": FollowView(GIVEN_UP, NAMELESS, late_s=130.0, late_because=errors.NotFound("CodeShip")),
    "cancelling": FollowView(replace(OF_ANY, cancelled=True), RUNNING),
    "hostile": FollowView(ENDED, HOSTILE, verdict_on([F], F)),
}
MESSAGES: dict[str, Message] = {
    **{name: live(shown, HOW) for name, shown in SHOWN.items()},
    **{
        f"reply_{name}": reply(SHOWN[name], HOW)
        for name in ("flaky", "real", "infrastructure_failure", "first_run", "unseen", "overtaken")
    },
    "first_word": followed(RUNNING, HOW, ADA),
    "first_word_on_one_that_was_restarted": followed(FAILED, HOW, ADA),
    "reply_to_two": reply(replace(SHOWN["flaky"], follow=replace(ENDED, others=(BOB,))), HOW),
    "followed_elsewhere": followed_elsewhere(Followed(RUNNING, 1), OF_ANY, LINK, HOW, BOB),
    "followed_elsewhere_by_oneself": followed_elsewhere(Followed(RUNNING, 1), OF_ANY, None, HOW, ADA),
    "already_restarted_elsewhere": followed_elsewhere(AlreadyRestarted(FAILED, CLAIM, 8), FOLLOW, LINK, HOW, BOB),
    "still_running_elsewhere": followed_elsewhere(StillRunning(RUNNING), OF_ANY, LINK, HOW, BOB),
    "will_notify": will_notify(RUNNING, HOW),
    "not_followed": not_followed("not_in_channel", HOW),
    "not_followed_in_an_archive": not_followed("is_archived", HOW),
    "not_followed_for_no_known_reason": not_followed("", HOW),
    "lost": lost(SHOWN["flaky"], "is_archived", HOW),
    "lost_in_a_direct_message": lost(
        replace(SHOWN["running"], follow=replace(FOLLOW, location=Location("D0ADA"))), "restricted_action", HOW
    ),
}
SUBJECTS = {"live": MESSAGES}
