"""What the playground plays: scenes automatically, transcripts step by step, one sandbox after another."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playground.play.scenes import SCENES, transcripts
from playground.play.sessions import NOON, Sessions
from playground.slack.model import CannotDo


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    sessions = Sessions(held_at=NOON, pause_s=0).start()
    yield sessions
    sessions.stop()


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_scene_plays_to_its_end(sessions, scene):
    sessions.show_scene(scene.name)
    session = sessions.current
    session.wait_for_the_scene()
    assert session.playing.fault == ""
    assert len(session.playing.seen) == len(scene.steps)


def test_builds_hears_that_main_broke_and_is_fixed_without_a_command(sessions):
    sessions.show_scene("Broken and fixed")
    session = sessions.current
    session.wait_for_the_scene()
    told = [line for seen in session.playing.seen for line in seen]
    assert any("main broke" in line for line in told)
    assert any(line.startswith("↳ (also in the channel)") and "fixed" in line for line in told)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["restart", "codeship_is_down", "mentions", "half_moved", "github_webhook"])
def test_a_replayed_transcript_shows_what_is_written(sessions, name):
    sessions.replay(name)
    session = sessions.current
    (script,) = [it for it in transcripts() if it.name == name]
    for _ in script.steps:
        session.step()
    assert session.playing.fault == ""
    assert session.playing.seen == tuple(step.seen for step in script.steps)
    session.step()  # there is no step after the last
    assert session.playing.has_ended


def test_the_playground_has_both_services_and_a_transcript_those_it_names(sessions):
    assert sessions.current.stage.github is not None
    sessions.replay("restart")
    assert sessions.current.stage.github is None
    sessions.replay("github_restart")
    assert sessions.current.stage.github is not None
    sessions.start_over()
    assert sessions.current.stage.github is not None


def test_every_transcript_of_the_tests_is_offered_with_what_it_shows():
    offered = transcripts()
    assert len(offered) > 10
    assert [script.name for script in offered if not script.title or not script.steps] == []


def test_if_the_tests_are_not_there_no_transcript_is_offered(tmp_path):
    assert transcripts(tmp_path / "nowhere") == ()


def test_a_sandbox_closed_during_a_scene_ends():
    sessions = Sessions(held_at=NOON, pause_s=3600).start()
    before = threading.active_count()
    sessions.show_scene(SCENES[0].name)
    sessions.start_over()
    assert sessions.current.playing is None
    assert "scene" not in [thread.name for thread in threading.enumerate()]
    assert threading.active_count() <= before + 2
    sessions.stop()


def test_an_unknown_script_is_refused_and_changes_nothing(sessions):
    number = sessions.current.number
    for play in (sessions.show_scene, sessions.replay):
        with pytest.raises(CannotDo):
            play("nothing")
    assert sessions.current.number == number


def test_builds_progress_automatically_only_if_time_passes():
    held = Sessions(held_at=NOON).start()
    held.current.clock.advance(3600)
    held.current.tick()
    assert held.current.stage.codeship.newest("acme/web", "feature/login").is_running
    assert not held.current.stage.github.newest("acme/mobile").is_over
    held.stop()

    live = Sessions().start()
    live.current.clock.advance(3600)
    live.current.tick()
    assert not live.current.stage.codeship.newest("acme/web", "feature/login").is_running
    assert live.current.stage.github.newest("acme/mobile").is_over
    live.stop()
