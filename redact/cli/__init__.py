"""The command line. `app` puts the commands together; each has a module of its own."""


def main() -> None:
    """Entry point. Worker processes import this module too, so the commands are only loaded when called."""
    from redact.cli.app import main as run_app

    run_app()
