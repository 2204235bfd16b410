"""A simulated GitHub on loopback, and its webhook to the bot, for a team that has moved half of its builds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from playground.github.api.server import GitHubHost
from playground.github.demo_data import seed
from playground.github.model import NotFound, SandboxRun
from playground.github.state import GitHubWorld
from playground.github.webhooks import GitHubWebhooks
from playground.traffic import TrafficLog

# Of the sandbox only: they open nothing anywhere else.
GITHUB_TOKEN = "github_pat_11SANDBOX0_of_the_playground"  # noqa: S105
WEBHOOK_SECRET = "2f1c0e7b9d4a46f58c3b6e0d1a7f9c52"  # noqa: S105

WEBHOOK = "/github/webhook"
EVENTS = ("workflow_run", "workflow_job")
_DELIVERY_TIMEOUT_S = 10.0
HOOK_OF, HOOK_ID = "acme", 474_331_002
"""The webhook is the organization's own."""


PERMISSIONS = {
    "actions": "write",
    "contents": "read",
    "pull_requests": "read",
    "metadata": "read",
    "organization_hooks": "write",
}
"""What the sandbox's token may do: all that the bot asks for."""


class GitHubSandbox:
    """Call `start`, `start_webhooks` for each bot, `pause_webhooks` before the bot stops, and `stop` at the end."""

    def __init__(self, now: Callable[[], datetime], wires: TrafficLog, *, seeded: bool) -> None:
        self.world = GitHubWorld(now, GITHUB_TOKEN)
        self.world.add_token(GITHUB_TOKEN, permissions=PERMISSIONS)
        self.world.cancels_at_once = False
        if seeded:
            seed(self.world)
        self._host = GitHubHost(self.world, wires=wires)
        self._wires = wires
        self._site = ""
        self._webhooks: GitHubWebhooks | None = None

    def newest_runs(self) -> list[SandboxRun]:
        """The newest run of each workflow on each branch of a repository's own; those of forks are left out."""
        newest: dict[tuple[int, int, str | None], SandboxRun] = {}
        for repo in self.world.repos():
            for run in self.world.runs(repo):
                if run.head_repo is not None and run.head_repo.id == repo.id:
                    newest.setdefault((repo.id, run.workflow_id, run.head_branch), run)
        return list(newest.values())

    def newest(self, repo: str, branch: str, workflow: str) -> SandboxRun:
        """The newest run that the arguments name. Raises NotFound."""
        meant = self.world.repo(repo).id, branch, self.world.workflow(repo, workflow).id
        for run in self.newest_runs():
            if (run.repo_id, run.head_branch, run.workflow_id) == meant:
                return run
        raise NotFound(f"no run of {workflow} in {repo} {branch}")

    def start(self) -> None:
        """Returns when GitHub accepts requests."""
        self._host.start()

    def start_webhooks(self, site: str) -> None:
        """Delivers events about runs to the bot at `site` from now on."""
        self._site = site
        self.resume_webhooks()

    def resume_webhooks(self) -> None:
        """Call after `pause_webhooks`, or for a bot at a new address. The bot requests what failed meanwhile."""
        if not self._site:
            return
        url = f"{self._site}{WEBHOOK}"
        if self._webhooks is None:
            made = GitHubWebhooks(
                self.world,
                url,
                WEBHOOK_SECRET,
                api_url=self._host.url,
                hook_id=HOOK_ID,
                owner=HOOK_OF,
                events=EVENTS,
                wires=self._wires,
            )
            self._webhooks = made.start()
        self._webhooks.url, self._webhooks.is_reachable = url, True

    def pause_webhooks(self) -> None:
        """Makes every delivery fail from now on. Returns when waiting ones have been delivered or have failed."""
        if self._webhooks is not None:
            self.wait_delivered(_DELIVERY_TIMEOUT_S)
            self._webhooks.is_reachable = False

    def wait_delivered(self, timeout_s: float) -> bool:
        """Whether all events were delivered within `timeout_s` seconds."""
        webhooks = self._webhooks
        return webhooks is None or webhooks.wait_until(
            lambda: all(delivery.is_done for delivery in webhooks.deliveries), timeout_s
        )

    def stop(self) -> None:
        self.world.release()
        if self._webhooks is not None:
            self._webhooks.stop()
        self._host.stop()

    def settings(self) -> dict[str, str]:
        """As an operator would set them."""
        return {
            "GITHUB_TOKEN": GITHUB_TOKEN,
            "GITHUB_API_URL": self._host.url,
            "GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "GITHUB_WEBHOOK_PATH": f"orgs/{HOOK_OF}/hooks/{HOOK_ID}",
        }
