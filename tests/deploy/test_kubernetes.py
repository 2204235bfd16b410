"""The manifests in `deploy/kubernetes`, compared with Kubernetes' own schemas and with the image."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot.app.timeouts import TIMEOUTS

ROOT = Path(__file__).parents[2]
MANIFESTS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
}
POD = MANIFESTS["deployment"]["spec"]["template"]
(BOT,) = POD["spec"]["containers"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["1.29", "1.33", "1.37"])
@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_a_mistake_in_a_manifest_is_found() -> None:
    wrong = {**MANIFESTS["service"], "spec": {"selektor": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


def test_every_manifest_selects_the_same_pods() -> None:
    labels = POD["metadata"]["labels"]
    assert MANIFESTS["deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert MANIFESTS["service"]["spec"]["selector"] == labels
    assert MANIFESTS["networkpolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert MANIFESTS["poddisruptionbudget"]["spec"]["selector"]["matchLabels"] == labels
    (port,) = BOT["ports"]
    assert MANIFESTS["service"]["spec"]["ports"][0]["targetPort"] == port["name"]


def test_the_container_has_no_needless_privileges() -> None:
    pod, container = POD["spec"]["securityContext"], BOT["securityContext"]
    assert (container["readOnlyRootFilesystem"], container["allowPrivilegeEscalation"]) == (True, False)
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert f"\nUSER {pod['runAsUser']}:{pod['runAsGroup']}\n" in DOCKERFILE
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert "memory" in BOT["resources"]["limits"]


def test_the_paths_that_the_image_writes_are_writable() -> None:
    mounted = {mount["mountPath"] for mount in BOT["volumeMounts"]}
    assert mounted == {"/tmp", *re.findall(r"^VOLUME (\S+)$", DOCKERFILE, flags=re.MULTILINE)}


def test_settings_that_are_secret_come_from_a_secret() -> None:
    assert [source.keys() for source in BOT["envFrom"]] == [{"secretRef"}]
    assert {variable["name"] for variable in BOT["env"]} == {"HOST", "PORT", "LOG_FORMAT"}


def test_the_bot_has_time_to_stop_cleanly() -> None:
    before = int(BOT["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert POD["spec"]["terminationGracePeriodSeconds"] >= before + TIMEOUTS.finish_s + 5


def test_the_probes_use_pages_that_the_bot_serves() -> None:
    pages = {probe: BOT[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert pages == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
