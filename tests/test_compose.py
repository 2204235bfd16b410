"""`compose.yml` and the files that it mounts: replicas, a load balancer, a database, and no secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import make_url

from bot.app.timeouts import TIMEOUTS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
BALANCER = (ROOT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8")
SECRET = re.compile(r"xox[bp]-|xapp-|_(?:TOKEN|SECRET|KEY|PASSWORD): +[^\s$]")


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = COMPOSE["services"][name]
    return found


def test_three_replicas_of_the_image_share_one_postgresql() -> None:
    bot = service("bot")
    assert (bot["deploy"]["replicas"], bot["build"]) == (3, ".")
    url = make_url(
        bot["environment"]["DATABASE_URL"].replace("${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env}", "x")
    )
    assert (url.drivername, url.host, url.port) == ("postgresql+psycopg", "database", 5432)
    database = service("database")["environment"]
    assert (url.username, url.database) == (database["POSTGRES_USER"], database["POSTGRES_DB"])
    assert "ports" not in bot, "three cannot have one port of the host"
    assert "container_name" not in bot


def test_secrets_come_only_from_the_environment_file() -> None:
    assert service("bot")["env_file"] == ".env"
    assert not SECRET.search(TEXT + BALANCER)
    assert SECRET.search("POSTGRES_PASSWORD: hunter2")


def test_the_database_is_persistent_and_waited_for() -> None:
    volumes = {volume.split(":")[0] for volume in service("database")["volumes"]}
    assert volumes <= set(COMPOSE["volumes"])
    assert service("bot")["depends_on"]["database"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", ["balancer", "database"])
def test_health_is_checked_if_the_image_does_not_do_so_itself(name: str) -> None:
    assert service(name)["healthcheck"]["test"][0] == "CMD"
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_a_bot_has_time_to_stop_cleanly() -> None:
    grace_s = int(service("bot")["stop_grace_period"].removesuffix("s"))
    assert grace_s >= TIMEOUTS.finish_s + 5


def test_the_balancer_knows_every_replica() -> None:
    (mounted,) = service("balancer")["volumes"]
    assert (ROOT / mounted.split(":")[0]).read_text(encoding="utf-8") == BALANCER
    bot = service("bot")
    each = f"{bot['deploy']['replicas']} bot:{bot['environment']['PORT']}"
    assert set(re.findall(r"^    server-template \w+ (\S+ \S+)", BALANCER, flags=re.MULTILINE)) == {each}
    assert "uri /readyz" in BALANCER


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_has_no_needless_privileges(name: str) -> None:
    found = service(name)
    assert (found["read_only"], found["cap_drop"]) == (True, ["ALL"])
    assert "cap_add" not in found
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["deploy"]["resources"]["limits"].keys() == {"memory", "cpus", "pids"}


def test_the_bot_can_write_nothing_but_memory() -> None:
    found = service("bot")
    assert "volumes" not in found
    assert {mount.split(":")[0] for mount in found["tmpfs"]} == {"/tmp", *_volumes_of_the_image()}


def _volumes_of_the_image() -> list[str]:
    return re.findall(r"^VOLUME (\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_balancer_may_open_enough_files_for_its_connections() -> None:
    most = re.search(r"maxconn (\d+)", BALANCER)
    assert most is not None
    assert service("balancer")["ulimits"]["nofile"] >= 2 * int(most[1]) + 100


def test_every_variable_of_compose_is_in_env_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    filled_in = set(re.findall(r"\$\{(\w+)", TEXT))
    assert filled_in
    for name in filled_in:
        assert re.search(rf"^#?{name}=", example, flags=re.MULTILINE), name
