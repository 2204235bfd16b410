"""A day of builds with outages of both sides, lost webhooks, a clock set back, kills and two replicas."""

from __future__ import annotations

import pytest

from tests.core.notifications.day import Day, faults
from tests.core.notifications.hearing import CHANNEL


def goes_well(seed: int, projects: int, builds: int) -> Day:
    """Nothing is missed or wrong, and said again only if a process died or an answer was lost."""
    day = Day(seed, projects)
    day.goes_on(builds)
    day.ends_calmly()
    missed, wrong = faults(day)
    assert day.hearing.jobs.errors == []
    assert (missed, wrong) == ([], [])
    assert day.hearing.store.outbox.queue(CHANNEL) == []
    assert day.slack.again <= day.lost_answers + day.kills
    day.hearing.close()
    return day


def test_a_small_day_is_told_without_a_mistake():
    goes_well(seed=1, projects=3, builds=12)


@pytest.mark.slow
def test_a_day_of_300_projects_and_2000_builds_is_told_without_a_mistake():
    day = goes_well(seed=7, projects=300, builds=2000)
    news = sum(len(model.news) for model in day.ci.models.values())
    assert news > 200
    assert day.kills > 3
    assert day.lost_answers > 3
