"""The command line.  Messages go to people: what is wrong, what was expected, how to mend it."""

from __future__ import annotations

import sys

import click

from wsknet.errors import UsageError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wsknet")
def wsknet() -> None:
    """A user-mode TCP/UDP stack with real frames, Windows binding rules, and an answer to every "why?"."""


def main(arguments: list[str] | None = None) -> None:
    """The entry point.  Exit status 2 and one line for unusable input, 130 after Ctrl-C."""
    from wsknet.cli.compare import compare
    from wsknet.cli.demo import demo
    from wsknet.cli.explain import explain
    from wsknet.cli.explain_listen import listen
    from wsknet.cli.list_ import list_scenarios
    from wsknet.cli.run import run
    from wsknet.cli.serve import serve

    for command in (demo, run, list_scenarios, compare, serve, explain):
        wsknet.add_command(command)
    explain.add_command(listen)
    try:
        wsknet.main(args=arguments, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"wsknet: {error.format_message()}", err=True)
        sys.exit(2)
    except UsageError as error:
        click.echo(f"wsknet: {error}", err=True)
        sys.exit(2)
    except click.exceptions.Abort:
        sys.exit(130)
