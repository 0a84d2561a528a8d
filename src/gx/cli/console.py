"""`gx console`: the web console."""

import typer

app = typer.Typer(name="console", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Serve the web console.

    Panels, alerts, targets, runbooks, a command's journey and dead letters,
    in a browser. `gx up` runs it too.

    Examples:
      gx console serve
    """


@app.command("serve")
def serve() -> None:
    """Serve the web console until a signal asks to stop.

    Every setting is an environment variable GX_CONSOLE_...; it listens on
    loopback unless GX_CONSOLE_HOST says otherwise. It reads Prometheus and
    Alertmanager, and hands what operators do to the API with their own token.

    Examples:
      gx console serve
      GX_CONSOLE_PROMETHEUS_URL=http://10.0.0.5:9090 gx console serve
    """
    from gx.console.process import run_console  # noqa: PLC0415 (help must not pay for it)

    run_console()
