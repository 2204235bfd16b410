"""The playground in a terminal: type as ada or bob, see messages as text, press buttons by number, trigger events."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from playground.play.view_steps import USAGE, ViewSteps
from playground.play.world_events import WORLD_EVENTS, trigger
from playground.sandbox import Sandbox
from playground.slack.controls import Button, buttons
from playground.slack.model import CannotDo, Message
from playground.slack.plain_text import as_text

WELCOME = """\
The playground: the real bot with a simulated Slack, CodeShip and GitHub. Nothing leaves this machine.

Try   /codeship status acme/web main      then type a button's number to press it
      /codeship status acme/shop main     a repository on GitHub
      @codeship restart acme/api main     the same in a mention
      ?                                   all commands of this prompt
"""

HELP = """\
Any other line is posted in the channel by the acting person.

  /codeship help            what the bot understands
  3                         press button 3
  :bob                      act as bob (or :ada, or :guest from another workspace)
  :in #random               go to a channel: #builds, #random, #secret, @codeship (direct message)
  :thread                   reply in the thread of the last message; :in leaves it
  :again                    show the channel again
  :quit                     leave

  Forms, the Home and shortcuts:
"""

EVENTS = "  Simulate an event with ! and one of these lines. Builds also progress on their own."


class Terminal:
    """`say` prints a line. `take` handles one line of input."""

    def __init__(self, sandbox: Sandbox, say: Callable[[str], None]) -> None:
        self._stage = sandbox
        self._say = say
        self._who = "ada"
        self._where = "#builds"
        self._thread: Message | None = None
        self._views = ViewSteps(sandbox)
        self._buttons: list[tuple[Message, Button]] = []
        self._shown = 0

    @property
    def prompt(self) -> str:
        """The acting person and the conversation."""
        return f"{self._who} in {'the thread' if self._thread else self._where}> "

    def take(self, line: str) -> bool:
        """Handles the line and shows the result. False if it was `:quit`."""
        line = line.strip()
        self._stage.tick()
        try:
            if line in (":quit", ":q"):
                return False
            self._do(line)
        except CannotDo as why:
            self._say(f"  ({why})")
        self._stage.settle()
        self._show_news()
        return True

    def _do(self, line: str) -> None:
        match line.split():
            case []:
                pass
            case ["?"]:
                self._help()
            case [number] if number.isdecimal():
                self._press(int(number))
            case [":again"]:
                self._shown = 0
            case [":thread"]:
                self._thread = self._last_message()
            case [":in", *where]:
                self._go(where[0] if where else self._where)
            case [who] if who.startswith(":"):
                self._who = self._stage.workspace.person(who[1:]).name
            case ["!", *words]:
                trigger(self._stage, " ".join(words))
            case _ if line[0] == "{" and line[-1] == "}":
                channel = self._stage.workspace.channel(self._where, self._who)
                for offered in self._views.does(self._who, line[1:-1], self._newest(), channel.id):
                    self._say(offered)
            case _ if line[0] == "[" and line[-1] == "]" and self._views.presses(self._who, line[1:-1]):
                pass
            case _:
                self._stage.workspace.types(self._who, self._where, line, self._thread)

    def _go(self, where: str) -> None:
        self._stage.workspace.conversation(where, self._who)  # raises if this person cannot open it
        self._where, self._thread, self._shown = where, None, 0

    def _press(self, number: int) -> None:
        if not 1 <= number <= len(self._buttons):
            raise CannotDo(f"there is no button {number}")
        message, button = self._buttons[number - 1]
        if button.url:
            self._say(f"  (opens {button.url})")
        if button.confirm:
            self._say(f"  (confirmed: {button.confirm['title']['text']} Yes)")
        self._stage.workspace.presses(self._who, message, button, confirm=True)

    def _last_message(self) -> Message:
        seen = self._stage.workspace.conversation(self._where, self._who)
        if not seen:
            raise CannotDo("there are no messages here yet")
        return seen[-1]

    def _newest(self) -> Message | None:
        """The last message here that everyone sees."""
        seen = self._stage.workspace.conversation(self._where, self._who)
        return next((message for message in reversed(seen) if message.ephemeral_to is None), None)

    def _help(self) -> None:
        for line in [
            *HELP.splitlines(),
            *(f"  {usage}" for usage in USAGE.splitlines()),
            "",
            EVENTS,
            *(f"  ! {gesture.usage}" for gesture in WORLD_EVENTS),
        ]:
            self._say(line)

    def _show_news(self) -> None:
        """Prints messages of this channel that are new or changed for this person, and views."""
        workspace = self._stage.workspace
        for line in self._views.seen():
            self._say(line)
        for message in workspace.conversation(self._where, self._who):
            if message.number <= self._shown:
                continue
            if message.now.via == "typed":
                if self._shown == 0:
                    who = workspace.names.get(message.user_id, message.user_id)
                    self._say(f"{who}: {' '.join(as_text(message, workspace.names))}")
                continue
            for line in self._numbered(message):
                self._say(line)
        everything = workspace.conversations.everything()
        self._shown = max((message.number for message in everything), default=0)

    def _numbered(self, message: Message) -> Iterable[str]:
        """The message as text, each button with the number that presses it."""
        viewer = self._stage.workspace.person(self._who).id
        text = "\n".join(as_text(message, self._stage.workspace.names, viewer_id=viewer))
        there = buttons(message, viewer)
        first = len(self._buttons) + 1
        end = len(text)
        for number, button in reversed(list(enumerate(there, first))):  # buttons come last, so search backwards
            label = f"[{button.text}]"
            at = text.rfind(label, 0, end)
            if at >= 0:
                text = f"{text[:at]}[{number} {button.text}]{text[at + len(label) :]}"
                end = at
        self._buttons += [(message, button) for button in there]
        edited = "(changed) " if len(message.versions) > 1 else ""
        return f"{edited}{text}".splitlines()
