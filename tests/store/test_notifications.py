"""What was seen, what is due and why are stored together or not at all; leases; the channel's queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Actor, Build, Project, Status
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.deliveries import Delivery, DeliveryState, WatchedProject
from bot.core.model.notifications.reasons import Decision, Reason, SeenBy
from bot.core.model.notifications.subscriptions import Filters, Replies, Subscription
from bot.core.model.notifications.transitions import BranchState, Change, Period, Transition, WorkflowState
from bot.store.notifications.decisions import MAX_PER_BRANCH
from tests.store.conftest import NOON

WEB = Project("3", "acme/web", "codeship")
BUILD = Build("9007199254740993", WEB, Status.FAILED, "error", branch="main\\x", finished_at=NOON, message="ü \\ “x”")
PERIOD = Period("9.1", NOON, BUILD)
STATE = BranchState((WorkflowState("", 9, 1, "error", NOON, NOON, "c9", True, 1),), (("", 10),), 10, PERIOD)
FIRST = WatchedProject("codeship", "3")
SEEN = WatchedProject("codeship", "3", NOON, 2**53 + 1, (("main\\x", STATE),))


def due(change=Change.BROKE, channel="C1", build=BUILD, **fields):
    made = Delivery(channel, Transition(change, build, PERIOD), SeenBy.LIST, NOON, NOON)
    return replace(made, **fields)


def because(number=1, channel=None, **fields):
    made = Decision(NOON, "codeship", "3", "main", str(number), SeenBy.LIST, Reason.NEUTRAL, "stopped", channel=channel)
    return replace(made, **fields)


def test_a_look_comes_back_as_it_was_stored(store):
    assert store.watching.project("codeship", "3") == FIRST
    [stored] = store.watching.apply(FIRST, SEEN, [due()], [because()])
    assert store.watching.project("codeship", "3") == replace(SEEN, version=1)
    assert store.watching.projects("codeship") == [replace(SEEN, version=1, branches=())]
    assert store.outbox.queue("C1") == [stored]
    assert stored == replace(due(), id=stored.id, changed_at=NOON)
    assert store.decisions.decisions("codeship", "3", "main", "C1") == [because()]


def test_whom_a_delivery_mentions_and_where_its_replies_go_is_stored(store):
    made = due(mentions=("S0ONCALL", "U0ADA"), replies=Replies.THREAD)
    store.watching.apply(FIRST, SEEN, [made], [])
    [stored] = store.outbox.queue("C1")
    assert (stored.mentions, stored.replies) == (made.mentions, made.replies)


def test_of_two_looks_at_the_same_state_one_is_stored_with_all_that_follows(store):
    assert store.watching.apply(FIRST, SEEN, [due()], []) is not None
    assert store.watching.apply(FIRST, SEEN, [due(channel="C2")], [because()]) is None
    assert store.outbox.queue("C2") == []
    assert store.decisions.decisions("codeship", "3", "main", "C1") == []


def test_a_branch_that_no_channel_listens_to_any_more_is_forgotten(store):
    store.watching.apply(FIRST, SEEN, [], [])
    before = store.watching.project("codeship", "3")
    assert store.watching.apply(before, replace(before, branches=()), [], []) == []
    assert store.watching.project("codeship", "3").branches == ()


def test_the_same_change_is_due_once_for_a_channel(store):
    store.watching.apply(FIRST, SEEN, [due(), due(), due(channel="C2"), due(Change.FIXED)], [])
    assert [each.transition.change for each in store.outbox.queue("C1")] == [Change.BROKE, Change.FIXED]
    assert len(store.outbox.queue("C2")) == 1


def test_a_delivery_is_claimed_by_one(store):
    [first] = store.watching.apply(FIRST, SEEN, [due()], [])
    [claimed] = store.outbox.move([(first, replace(first, state=DeliveryState.SENDING))])
    assert store.outbox.move([(first, replace(first, state=DeliveryState.SENDING))]) is None
    told = replace(claimed, state=DeliveryState.TOLD, ts="1.2", head_ts="1.2")
    [told] = store.outbox.move([(claimed, told)], [because(channel="C1")])
    assert store.outbox.queue("C1") == []
    assert store.outbox.told("C1", NOON) == [told]
    assert store.outbox.told("C1", NOON + timedelta(seconds=1)) == store.outbox.told("C2", NOON) == []
    assert store.outbox.head(due(Change.FIXED)) == "1.2"
    assert store.outbox.head(due(Change.FIXED, channel="C2")) is None


def test_several_deliveries_are_claimed_together_or_not_at_all(store):
    first, second = store.watching.apply(FIRST, SEEN, [due(), due(Change.FIXED)], [])
    [claimed] = store.outbox.move([(second, replace(second, state=DeliveryState.SENDING))])
    both = [(each, replace(each, state=DeliveryState.SENDING)) for each in (first, second)]
    assert store.outbox.move(both, [because(channel="C1")]) is None
    assert store.outbox.queue("C1") == [first, claimed]
    assert store.decisions.decisions("codeship", "3", "main", "C1") == []
    digest = replace(first, digest_ts="1.2", digest_at=NOON)
    [stays_due] = store.outbox.move([(first, digest)])
    assert store.outbox.told("C1", NOON) == [stays_due]
    assert (stays_due.digest_ts, stays_due.digest_at) == ("1.2", NOON)


def test_late_and_abandoned_deliveries_are_found_the_oldest_of_each_channel(store, clock):
    first, _, other = store.watching.apply(FIRST, SEEN, [due(), due(Change.FIXED), due(channel="C2")], [])
    assert store.outbox.waiting(NOON, NOON) == [first, other]
    assert store.outbox.waiting(NOON - timedelta(seconds=1), NOON) == []
    [sending] = store.outbox.move([(first, replace(first, state=DeliveryState.SENDING))])
    clock.time += timedelta(seconds=60)
    assert store.outbox.waiting(NOON, NOON - timedelta(seconds=1)) == [other]
    assert store.outbox.waiting(NOON, NOON) == [sending, other]
    assert store.outbox.depth() == (3, NOON)


def test_resuming_a_channel_makes_due_what_was_held_back(store, clock):
    filters = Filters(NamePattern(("acme/web",)))
    store.subscriptions.add(Subscription("C1", filters, Actor("U1"), NOON))
    paused = due(state=DeliveryState.PAUSED, reason="is_archived", due_at=NOON + timedelta(days=1))
    store.watching.apply(FIRST, SEEN, [paused, replace(paused, channel="C2")], [])
    store.subscriptions.pause("C1", "is_archived")
    clock.time += timedelta(seconds=5)
    store.subscriptions.resume("C1")
    [now] = store.outbox.queue("C1")
    assert (now.state, now.reason, now.due_at) == (DeliveryState.DUE, "", clock.now())
    assert store.outbox.queue("C2")[0].state is DeliveryState.PAUSED


def test_a_lease_has_one_holder_until_it_ends_or_is_given_back(store, clock):
    assert store.watching.lease("codeship", "a", 10)
    assert store.watching.lease("codeship", "a", 10)
    assert not store.watching.lease("codeship", "b", 10)
    assert store.watching.lease("github", "b", 10)
    store.watching.release("codeship", "b")
    assert not store.watching.lease("codeship", "b", 10)
    store.watching.release("codeship", "a")
    assert store.watching.lease("codeship", "b", 10)


def test_decisions_are_for_one_channel_or_for_all_and_the_oldest_go(store):
    many = [because(number) for number in range(MAX_PER_BRANCH + 5)]
    store.watching.apply(FIRST, SEEN, [], [*many, because(0, "C1", branch="topic"), because(1, "C2", branch="topic")])
    assert [each.build_id for each in store.decisions.decisions("codeship", "3", "topic", "C1")] == ["0"]
    newest = store.decisions.decisions("codeship", "3", "main", "C1")
    assert newest[0].build_id == str(MAX_PER_BRANCH + 4)
    assert len(store.decisions.decisions("codeship", "3", None, "C1")) == 50
