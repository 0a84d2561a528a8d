"""`gx status`, `gx logs`, `gx restart`, `gx down`: the local stack, from another terminal."""

import contextlib
from pathlib import Path
from typing import Annotated, Final

import typer

from gx.cli.failures import CheckFailedError, NotRunningError, UsageFailedError
from gx.cli.options import DataDirOption, JsonOption
from gx.cli.output import progress, show, show_fields, show_json, show_table
from gx.domain.codec import JsonValue
from gx.runtime.clock import SystemClock
from gx.runtime.logfile import follow_logs
from gx.runtime.process import ItemState, ItemStatus
from gx.runtime.settings import choose_data_dir
from gx.runtime.stack import (
    StackFolder,
    StackState,
    is_alive,
    restart_process,
    stack_folder,
    stop_stack,
)

app = typer.Typer(add_completion=False)

_GOOD: Final = (ItemState.READY, ItemState.DONE)


@app.command("status")
def status(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Show what of the local stack runs, and where.

    Exits with 1 if something that should run does not, with 3 if no stack runs.

    Examples:
      gx status
      gx status --json
    """
    show_status(folder_of(data_dir), as_json=as_json, start="gx up")


def show_status(folder: StackFolder, *, as_json: bool, start: str) -> None:
    """Show what runs; `start` is the subcommand that starts it.

    Raises:
        NotRunningError: nothing does.
        CheckFailedError: something that should run does not.
    """
    state = folder.read() if folder.is_running() else None
    if state is None:
        raise NotRunningError(f"no stack runs on {folder.root}; start one with `{start}`")
    if as_json:
        show_json(
            {
                "dataDir": str(folder.root),
                "supervisorPid": state.supervisor_pid,
                "urls": dict[str, JsonValue](state.urls),
                "processes": [_item_wire(item) for item in state.items],
            }
        )
    else:
        _show_state(state)
    _require_all_good(state)


@app.command("logs")
def logs(
    process: Annotated[
        str | None, typer.Argument(help="Which process; all of them if you name none.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=100_000, help="Last lines of each.")
    ] = 50,
    data_dir: DataDirOption = None,
) -> None:
    """Show what the stack's processes say.

    Examples:
      gx logs
      gx logs outbox-submitter -f
      gx logs api --lines 200
    """
    show_logs(folder_of(data_dir), process, follow=follow, lines=lines)


def show_logs(folder: StackFolder, process: str | None, *, follow: bool, lines: int) -> None:
    """Show the last lines of one process, or of all, and with `follow` what comes."""
    paths = _log_paths(folder, process)
    is_over = (lambda: not folder.is_running()) if follow else (lambda: True)
    with contextlib.suppress(KeyboardInterrupt):
        for name, line in follow_logs(paths, lines=lines, is_over=is_over):
            show(line if process else f"{name:<16} | {line}")


@app.command("restart")
def restart(
    process: Annotated[str, typer.Argument(help="Which process, as `gx status` names it.")],
    data_dir: DataDirOption = None,
) -> None:
    """Stop one process of the local stack, and wait until it is ready again.

    Any of them may be restarted at any time: nothing is lost or done twice.
    Exits with 1 if it is not ready again within two minutes.

    Examples:
      gx restart projector
      gx restart outbox-submitter --data-dir /tmp/gx
    """
    with progress(f"restarting {process} ..."):
        item = restart_process(folder_of(data_dir), process)
    show(f"{item.name} is ready again, as process {item.pid}")


@app.command("down")
def down(data_dir: DataDirOption = None) -> None:
    """Stop the local stack and wait until all of it has stopped; its data stays.

    Examples:
      gx down
      gx down --data-dir /tmp/gx
    """
    with progress("stopping ..."):
        outcome = stop_stack(folder_of(data_dir))
    show(str(outcome))


def folder_of(data_dir: Path | None) -> StackFolder:
    """Return the stack folder that the option, or the settings, name."""
    if data_dir is not None:
        choose_data_dir(data_dir)
    return stack_folder()


def _log_paths(folder: StackFolder, process: str | None) -> dict[str, Path]:
    paths = folder.log_paths()
    if process is None and paths:
        return paths
    if process is not None and process in paths:
        return {process: paths[process]}
    there = f"there are {', '.join(paths)}" if paths else "there are none; start it with `gx up`"
    raise UsageFailedError(f"no log of {process or 'any process'} in {folder.log_folder}: {there}")


def _show_state(state: StackState) -> None:
    show_table(
        ("process", "state", "pid>", "ports", "restarts>", "detail"),
        (
            (
                item.name,
                _state_text(item),
                "" if item.pid is None else str(item.pid),
                " ".join(map(str, item.ports)),
                str(item.restarts) if item.restarts else "",
                _detail_text(item),
            )
            for item in state.items
        ),
    )
    show_fields(state.urls.items())


def _state_text(item: ItemStatus) -> str:
    return item.state if item.pid is None or is_alive(item) else f"{item.state}, but gone"


def _detail_text(item: ItemStatus) -> str:
    if item.state is not ItemState.UNREADY:
        return item.detail
    return f"{item.detail}, for {(SystemClock().now_ms() - item.since_ms) // 1_000} s"


def _item_wire(item: ItemStatus) -> JsonValue:
    return {
        "name": item.name,
        "state": item.state.value,
        "sinceMs": item.since_ms,
        "alive": is_alive(item) if item.pid is not None else item.state in _GOOD,
        "pid": item.pid,
        "ports": list[JsonValue](item.ports),
        "restarts": item.restarts,
        "detail": item.detail,
        "log": item.log,
    }


def _require_all_good(state: StackState) -> None:
    bad = [item.name for item in state.items if item.state not in _GOOD and not item.is_optional]
    if bad:
        raise CheckFailedError(f"not ready: {', '.join(bad)}; see `gx logs {bad[0]}`")
