"""The entry point: finds the command, and turns errors into one line and an exit code."""

from __future__ import annotations

import importlib
import signal
import sys
import traceback
from collections.abc import Mapping

import click

from tokenfare.errors import TokenfareError

from . import argument_names, exit_codes, stdout

# Each command (and module) with the first line of its help, so that `--help` loads no module.
_COMMANDS: Mapping[str, str] = {
    "count": "Count the tokens of files or standard input.",
    "fit": "Check whether a request fits a model or a number of tokens.",
    "truncate": "Cut a text down to a number of tokens.",
    "split": "Split a text into pieces of at most N tokens.",
    "route": "Find the cheapest model that takes a request.",
    "replay": "Repeat a recorded decision, and show what changed.",
    "models": "List the models, with their limits and prices.",
    "tokenizers": "List tokenizers, and add vocabularies.",
    "catalog": "Check, compare and import catalogue files.",
    "send": "Route a request and send it.",
    "batch": "Plan jobs of many requests, send them, and collect the answers.",
    "spend": "Show what was spent, on what, and how far off the predictions were.",
    "serve": "Serve an OpenAI-compatible gateway that routes and books every call.",
    "emulate": "Serve the provider's endpoints on this machine, offline.",
    "demo": "Count, route and send real documents to the emulator, offline.",
}


class _Commands(click.Group):
    """Commands by name, each imported from the module of its name on first use."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command = importlib.import_module(f".{name}", __package__).command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # only for an error

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader has closed the pipe (`| head`); click would exit with 1.
            stdout.mute()
            return exit_codes.DONE
        except KeyboardInterrupt as stop:
            # Click would drop the exception's message, which says in which state the work is.
            _say_interrupted(str(stop))
            return exit_codes.INTERRUPTED
        except TokenfareError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            stdout.tell(argument_names.line_of(error, command))
            return exit_codes.code_of(error)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tokenfare", message="tokenfare %(version)s")
def tokenfare() -> None:
    """Know what a prompt costs before it is sent, and send it to the cheapest model that takes it.

    \b
    Exit codes: 0 done, 1 the answer is no, 2 wrong use or unreadable input, 3 no model fits,
    4 the provider refused or failed, 5 a ceiling was reached, 6 a deadline is too short,
    130 interrupted.
    """  # noqa: D301 - click wants the backspace itself: it keeps the paragraph's lines


def main() -> None:
    """Run a command and end the process with its exit code."""
    _open_what_is_closed()
    stdout.take_every_character()
    code = _run()
    _drop_unwritable_output()
    # All work is done, and its result printed. Python takes some 20 ms to shut down, in which an
    # interrupt would end the process by the signal, and not with the exit code.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _run() -> int:
    try:
        return _ended()
    except OSError as error:  # of files that no command names; commands raise errors of our own
        said = stdout.unwritable(error) if _in_echo(error) else error
        stdout.tell(exit_codes.line_of(said))
    except Exception:  # noqa: BLE001 - Python would end with 1, and 1 means "the answer is no"
        traceback.print_exc()
        stdout.tell("tokenfare: this is a bug of tokenfare; please report it")
    return exit_codes.WRONG_USE


def _ended() -> int:
    try:
        result = tokenfare(standalone_mode=False)
        _flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return exit_codes.WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        stdout.tell("tokenfare: interrupted")
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe (`| head`). Python would complain again at exit.
        stdout.mute()
        return exit_codes.DONE
    except TokenfareError as error:
        stdout.tell(exit_codes.line_of(error))
        return exit_codes.code_of(error)
    return result if isinstance(result, int) else exit_codes.DONE


def _say_interrupted(what: str) -> None:
    if sys.stderr.isatty():
        click.echo(err=True)  # a terminal has written ^C there
    click.echo(f"tokenfare: interrupted{'; ' if what else ''}{what}", err=True)


def _open_what_is_closed() -> None:
    """Replace closed outputs (`>&-`): otherwise the next opened file would get their number.

    Writing an answer then fails, writing a message does not: servers are started like this.
    """
    if sys.stdout is None:
        sys.stdout = stdout.closed()
    if sys.stderr is None:
        sys.stderr = stdout.nowhere()


def _in_echo(error: OSError) -> bool:
    """Whether click was printing: the help and the version are not printed by us."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code is click.echo.__code__ for frame, _ in frames)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise stdout.unwritable(error) from None


def _drop_unwritable_output() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        stdout.mute()
