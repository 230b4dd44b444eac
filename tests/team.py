"""A team for the tests of sharing: a hub, its members' clones, and the page that they follow."""

import contextlib
import functools
import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dvc.cli
import s3fs
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from tests import servers

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/sharing.md").read_text()
COMMIT = "git add . && git commit --quiet --message"


def documented(heading: str) -> list[list[str]]:
    """The command lines below a heading of the page, block by block."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    parts = [part.strip("\n") for part in section.split("\n\n")]
    blocks = [part.splitlines() for part in parts if part.startswith("    ")]
    return [[line.strip() for line in block] for block in blocks]


def environment(folder: Path) -> dict[str, str]:
    """That of a clone: the team's home, an index of its own, and no key but its config's."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return given | {
        "PATH": servers.PATH,
        "HOME": str(folder.parent / "home"),
        "DVC_SITE_CACHE_DIR": str(folder.with_name(f"{folder.name}-index")),
        "ITERATIVE_DO_NOT_TRACK": "1",
    }


def attempt(folder: Path, *lines: str) -> subprocess.CompletedProcess:
    """Run lines in a clone, until one fails."""
    return subprocess.run(
        " && ".join(lines),
        shell=True,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )


def shell(folder: Path, *lines: str) -> str:
    """Run lines in a clone, none of which may fail; return what they printed."""
    ran = attempt(folder, *lines)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def configure(folder: Path, *lines: str) -> None:
    """Run lines of `dvc` that only write to a config: within this process, which is quicker."""
    with contextlib.chdir(folder):
        assert [dvc.cli.main(line.split()[1:]) for line in lines] == [0] * len(lines)


def model(folder: Path) -> dict[str, bytes]:
    """The files of a clone's model."""
    return {path.name: path.read_bytes() for path in (folder / "models/fold-0").glob("*")}


@dataclass(frozen=True)
class Team:
    """The place of the clones and of the remotes, and the ports of the servers, by remote."""

    folder: Path
    ports: dict[str, int]

    @property
    def hub(self) -> Path:
        return self.folder / "hub.git"

    @property
    def author(self) -> Path:
        return self.folder / "author"

    def follow(self, heading: str, block: int) -> list[str]:
        """The lines of a block of the page, with the team's own words for those of the page."""
        own = {
            "https://s3.example.org": f"http://{servers.HOST}:{self.ports['bucket']}",
            "KEY": servers.KEY,
            "SECRET": servers.SECRET,
            "storage.example.org:22": f"{servers.HOST}:{self.ports['server']}{self.folder}/ssh",
            "NAME": getpass.getuser(),
            "~/.ssh/id_ed25519": f"{self.folder}/ssh/key",
            "n_epochs=20": "n_epochs=2",
            "URL": f"file://{self.hub}",
            "CREDENTIALS": f"{self.author}/.dvc/config.local",
        }
        lines = documented(heading)[block]
        return [functools.reduce(lambda s, word: s.replace(*word), own.items(), x) for x in lines]

    def clone(self, name: str, *, remote: str, branch: str = "results") -> Path:
        """A clone with the credentials, an empty cache, and one of the remotes as its default."""
        folder = self.folder / name
        shell(self.folder, f"git clone --quiet --branch {branch} {self.hub} {folder}")
        shutil.copy(self.author / ".dvc/config.local", folder / ".dvc")
        configure(folder, f"dvc remote default --local {remote}")
        return folder

    def objects(self, remote: str, name: str = "skinlesion") -> DirFileSystem:
        """The files of a remote, seen past DVC."""
        if remote == "bucket":
            url = f"http://{servers.HOST}:{self.ports['bucket']}"
            keys = {"key": servers.KEY, "secret": servers.SECRET}
            store = s3fs.S3FileSystem(endpoint_url=url, use_listings_cache=False, **keys)
            return DirFileSystem(f"{servers.BUCKET}/{name}", store)
        folder = {"local": "skinlesion-dvc-remote", "server": f"ssh/srv/{name}"}[remote]
        return DirFileSystem(str(self.folder / folder), LocalFileSystem())


@contextlib.contextmanager
def gathered(folder: Path) -> Iterator[Team]:
    """A team in an empty folder, with both servers until the block ends."""
    if lacking := servers.missing():
        raise RuntimeError(f"There is no {' and no '.join(lacking)}.")
    (folder / "home").mkdir()
    (folder / "home/.gitconfig").write_text("[user]\nname = A member\nemail = member@example.org\n")
    with servers.s3(folder / "s3") as bucket, servers.ssh(folder / "ssh") as server:
        yield Team(folder, {"bucket": bucket, "server": server})
