"""The command `skinlesion`: what people run beside `dvc`. Each subcommand imports what it needs."""

from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import click
import typer
from typer.exceptions import TyperException

from skinlesion import command
from skinlesion.errors import InputError
from skinlesion.experiments import (
    clinic_commands,
    pull_request_commands,
    run_commands,
    sweep_commands,
)

__all__ = ["app", "main"]

# Packages of the extra `serve`; those of other commands than `score` and `serve` are of `train`.
_OF_SERVE = {"fastapi", "prometheus_client", "pydantic_settings", "uvicorn"}

app = typer.Typer(
    name="skinlesion", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)
# Groups of commands, each a Typer of its room. None of these modules imports what is slow to load.
app.add_typer(run_commands.app)
app.add_typer(clinic_commands.app)
app.add_typer(sweep_commands.app, name="sweep")
app.add_typer(pull_request_commands.app, name="pull-request")


def main() -> None:
    """Run the command line, with one line per error of its user.

    Raises:
        SystemExit: With the codes of `command.one_line_errors`; 0 if all went well.
    """
    with command.one_line_errors():
        try:
            code = app(prog_name="skinlesion", standalone_mode=False)
        except TyperException as error:
            raise _as_click(error) from None
        except ModuleNotFoundError as error:
            raise _as_extra(error) from None
        if code == command.INTERRUPTED:
            raise KeyboardInterrupt
    raise SystemExit(code)


def _as_click(error: TyperException) -> click.ClickException:
    # Typer brings a copy of Click, whose errors are not those of Click.
    message = f"{error.format_message().removesuffix('.')}."
    if error.exit_code == 2:
        return click.UsageError(message, getattr(error, "ctx", None))
    return click.ClickException(message)


def _as_extra(error: ModuleNotFoundError) -> Exception:
    """Name the extra that a command needs; a module of our own that is absent is our mistake."""
    package = (error.name or "").partition(".")[0]
    if package in ("", "skinlesion"):
        return error
    extra = "serve" if package in _OF_SERVE else "train"
    return InputError(
        f"this command needs the package {package}, which is not installed. In the repository: "
        f"pip install -e '.[{extra}]'"
    )


def _top_folder() -> Path:
    if not Path("dvc.yaml").is_file():
        raise InputError("give this in the top folder of the repository, which holds dvc.yaml.")
    return Path()


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Rank skin lesions by their risk of cancer.

    The pipeline itself is run by `dvc repro`.
    """
    if version:
        print(f"skinlesion {installed_version('skinlesion')}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command(
    epilog="\b\nExample:\n"
    "  skinlesion score bundle data/mine/test-metadata.csv data/mine/test-image.hdf5 scores"
)
def score(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="The folder that stage export writes.")
    ],
    metadata: Annotated[
        Path, typer.Argument(metavar="METADATA", help="CSV file with one row per lesion.")
    ],
    images: Annotated[
        Path,
        typer.Argument(metavar="IMAGES", help="HDF5 file, or folder, with a tile per isic_id."),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write predictions.csv to.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at a tile that cannot be read.")
    ] = False,
) -> None:
    """Score the lesions of any challenge folder.

    Writes a probability for each, its rank among the patient's lesions, and what each member says.
    A lesion whose tile cannot be read gets the networks' median and a row in unreadable.csv.
    """
    from skinlesion.bundle import bulk

    print(bulk.score(bulk.Files(bundle, metadata, images, out), strict=strict))


@app.command(epilog="\b\nExample:\n  skinlesion serve bundle --port 8000")
def serve(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="The folder that stage export writes.")
    ],
    host: Annotated[
        str | None, typer.Option(help="Where it listens; beyond 127.0.0.1 only with a token.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="8000 where it is not given.")] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="A limit, such as seconds=30. Repeatable."),
    ] = None,
) -> None:
    """Serve a bundle over HTTP, with a page for triage.

    Each setting is also a variable, such as SKINLESION_PORT; SKINLESION_TOKEN is one alone. The
    limits are tile_bytes, tile_px, request_px, tiles, body_bytes, held_bytes, seconds, requests and
    explained.
    """
    from skinlesion.bundle import runtime
    from skinlesion.serving import server, settings

    chosen = settings.load({"host": host, "port": port, **settings.limits(limit or [])})
    server.run(runtime.open(bundle), chosen)


@app.command(
    epilog="\b\nExample:\n  skinlesion pack train-image data/raw/isic-2024/train-image.hdf5"
)
def pack(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Holds <isic_id>.jpg, .jpeg or .png, any depth."),
    ],
    hdf5: Annotated[
        Path, typer.Argument(metavar="HDF5", help="File to write; an earlier one is replaced.")
    ],
    leave_out_broken: Annotated[
        bool,
        typer.Option("--leave-out-broken", help="List tiles that do not decode, do not stop."),
    ] = False,
) -> None:
    """Pack a folder of tiles into one HDF5 file.

    DVC hashes one file faster than many. The bytes of each tile are copied unchanged. The file
    appears once it is complete, so the command can be stopped at any moment.
    """
    from functools import partial

    from tqdm import tqdm

    from skinlesion.dataset import stores
    from skinlesion.preparation import packing

    store = stores.open_store(folder, rehearse=True)
    bar = partial(tqdm, desc="pack", unit="tile", mininterval=1, maxinterval=30)
    left_out = packing.pack(store, hdf5, leave_out_broken=leave_out_broken, progress=bar)
    print(f"pack: {len(store.ids()) - len(left_out):,} tiles into {hdf5}")
    if left_out:
        print(f"left out {len(left_out):,} broken tiles: see {packing.left_out_csv(hdf5)}")


@app.command(epilog="\b\nExample:\n  skinlesion summary")
def summary() -> None:
    """Show the figures of the last run, and what is next."""
    from skinlesion.reporting import summary

    print(summary.text(_top_folder()))


@app.command(epilog="\b\nExample:\n  skinlesion checklists docs/checklists.md")
def checklists(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Markdown file to write.")],
) -> None:
    """Write where a run answers CLAIM 2024 and TRIPOD+AI, and what its author must say.

    The values are of params.yaml and metrics/ in the current folder.
    """
    from skinlesion.reporting import checklists

    out.write_text(checklists.text(_top_folder()), encoding="utf-8")
    print(f"checklists: {out}")


@app.command(
    epilog="\b\nExample, on the second of two hosts:\n"
    "  export KERAS_DISTRIBUTION_JOB_ADDRESSES=host-0:4242\n"
    "  export KERAS_DISTRIBUTION_NUM_PROCESSES=2 KERAS_DISTRIBUTION_PROCESS_ID=1\n"
    "  skinlesion train-process train@0"
)
def train_process(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A training stage of dvc.yaml, such as train@0.")
    ],
) -> None:
    """Train a fold as one of several processes.

    They may run on several hosts. Process 0 runs the stage through DVC, even if nothing changed.
    Every other process runs the stage's command alone, because DVC's lock is taken. See
    docs/scaling.md.
    """
    from skinlesion.experiments import launcher
    from skinlesion.training import processes

    launcher.run(stage, process_index=processes.current().process_index)


if __name__ == "__main__":
    main()
