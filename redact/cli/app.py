"""The commands put together, and the one place where an error becomes an exit status."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module

import typer

from redact import __version__
from redact.errors import ExitCode, RedactError
from redact.workers import debugging

EXIT_TABLE = "\n\n".join(
    f"{int(code):>3}  {meaning}"
    for code, meaning in (
        (ExitCode.PUBLISHED, "every item passed the gate"),
        (ExitCode.TOOL_ERROR, "this tool or this machine failed"),
        (ExitCode.USAGE, "the command line, policy or plan is wrong; nothing was touched"),
        (ExitCode.NEEDS_REVIEW, "at least one item waits for a person"),
        (ExitCode.INPUT_ERROR, "at least one item could not be read, or is refused"),
        (ExitCode.BLOCKED, "at least one finished file must not be published"),
        (ExitCode.INTERRUPTED, "stopped; the next run goes on from here"),
    )
)

app = typer.Typer(
    name="redact",
    help="Cover faces and text in photos and videos, remove hidden data, and judge the finished files.",
    epilog=f"Exit status:\n\n{EXIT_TABLE}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"redact {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show it and exit."
    ),
) -> None:
    """Nothing is sent anywhere, but what `serve` answers and calls; only `redact models pull` downloads."""


COMMANDS = (
    *("init", "run", "watch", "check", "inspect", "review", "plan", "render", "serve"),
    *("doctor", "models", "policy", "ledger", "lookup"),
)
for _name in COMMANDS:
    import_module(f"redact.cli.{_name}").register(app)


def main() -> None:
    """Entry point. Ends the process with an `ExitCode`."""
    try:
        code = app(standalone_mode=False)
    except RedactError as error:
        typer.echo(f"redact: {error}", err=True)
        code = int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("redact: interrupted; run the same command again to go on.", err=True)
        code = int(ExitCode.INTERRUPTED)
    except typer.TyperException as error:
        show = getattr(error, "show", None)
        if show is not None:
            show()
        code = int(ExitCode.USAGE)
    except BrokenPipeError:
        code = int(ExitCode.TOOL_ERROR)
    except Exception as error:  # noqa: BLE001 - the last net: a traceback could hold a path or a value
        if debugging():
            traceback.print_exc()
        typer.echo(
            f"redact: internal error ({type(error).__name__}). Nothing was published by this step; "
            "REDACT_DEBUG=1 shows the details, which may hold file names.",
            err=True,
        )
        code = int(ExitCode.TOOL_ERROR)
    sys.exit(code or 0)
