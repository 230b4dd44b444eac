"""Keep one comment on a pull request up to date, over the HTTP API of GitHub or GitLab.

Needs nothing but Python's own library: it runs where there is a token that can write.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from skinlesion.errors import InputError

__all__ = ["Forge", "github", "gitlab", "post", "read"]

MARKER = "<!-- skinlesion: the report on this pull request -->"
FROM_A_FORK = "Written by a run of a fork's own code, which may have made it say anything.\n\n"
CUT = "\n\nCut here; the files of the run hold all of it."
MAX_CHARS = 60_000  # GitHub takes 65,536
MAX_BYTES = 1_000_000  # that are read of a report
N_PER_PAGE = 100
TIMEOUT_S = 30


@dataclass(frozen=True, kw_only=True)
class Forge:
    """Where the comments of one pull request are, and how they are spoken to."""

    comments: str  # address to list them and to add one
    comment: str  # address of one, without its id
    change: str  # HTTP method that changes one
    headers: Mapping[str, str]
    author: tuple[str, str, str]  # the keys of an author's name, and our own
    notice: str = ""  # what stands before a report


def github(environment: Mapping[str, str]) -> Forge | None:
    """Find the pull request whose run has just ended, from the event `workflow_run`.

    Which one it is comes from the event and from GitHub, never from what the run has written.

    Args:
        environment: Of a GitHub workflow, with GITHUB_TOKEN.

    Returns:
        Its comments; None where it has been closed, or has a newer commit.

    Raises:
        InputError: A variable is missing, GitHub does not answer, or several pull requests have
            the commit of this run as their head.
    """
    api, repository, event_json, token = _required(
        environment, "GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_TOKEN"
    )
    run = json.loads(Path(event_json).read_text(encoding="utf-8"))["workflow_run"]
    if run["head_repository"] is None:  # a fork that has been deleted
        return None
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    root, of = f"{api}/repos/{repository}", run["head_repository"]
    head = {"state": "open", "head": f"{of['owner']['login']}:{run['head_branch']}"}
    pulls = _pages(f"{root}/pulls", headers, head)
    numbers = [pull["number"] for pull in pulls if pull["head"]["sha"] == run["head_sha"]]
    if len(numbers) > 1:
        raise InputError(f"one pull request must have the head {run['head_sha']}. Got {numbers}.")
    if not numbers:
        return None
    return Forge(
        comments=f"{root}/issues/{numbers[0]}/comments",
        comment=f"{root}/issues/comments",
        change="PATCH",
        headers=headers,
        author=("user", "login", "github-actions[bot]"),
        notice=FROM_A_FORK if of["full_name"] != repository else "",
    )


def gitlab(environment: Mapping[str, str]) -> Forge:
    """Find the merge request that a pipeline runs for.

    Args:
        environment: Of a GitLab job, with GITLAB_TOKEN, a project access token.

    Returns:
        Its notes.

    Raises:
        InputError: A variable is missing, or GitLab does not answer.
    """
    api, project, number, token = _required(
        environment, "CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID", "GITLAB_TOKEN"
    )
    headers = {"PRIVATE-TOKEN": token}
    notes = f"{api}/projects/{quote(project, safe='')}/merge_requests/{number}/notes"
    us = _call("GET", f"{api}/user", headers)["username"]
    return Forge(
        comments=notes,
        comment=notes,
        change="PUT",
        headers=headers,
        author=("author", "username", us),
    )


def read(report_md: Path) -> str:
    """Read a report that may have been written with ill will.

    Args:
        report_md: A file in UTF-8; what is not UTF-8 in it is replaced.

    Returns:
        Its text, of its first megabyte.

    Raises:
        InputError: It is a link or no file, so that its content may be another file's.
    """
    if report_md.is_symlink() or not report_md.is_file():
        raise InputError(f"{report_md} must be a file, and no link to one.")
    with report_md.open("rb") as file:
        return file.read(MAX_BYTES).decode("utf-8", errors="replace")


def post(text: str, forge: Forge) -> str:
    """Write the comment; or put its new text in the place of the old one.

    Args:
        text: Markdown. Names after an "@" are not called; what no comment can hold is cut off.
        forge: Where to.

    Returns:
        "created" or "updated".

    Raises:
        InputError: The forge does not answer, or refuses.
    """
    quiet = re.sub(r"(?<!\w)@(?=\w)", "@\u200b", text)
    cut = quiet[:MAX_CHARS] + CUT * (len(quiet) > MAX_CHARS)
    comment = {"body": f"{MARKER}\n{forge.notice}{cut}"}
    for old in _pages(forge.comments, forge.headers):
        if (old["body"] or "").startswith(MARKER) and _is_ours(old, forge):
            _call(forge.change, f"{forge.comment}/{old['id']}", forge.headers, comment)
            return "updated"
    _call("POST", forge.comments, forge.headers, comment)
    return "created"


def _is_ours(comment: Mapping[str, Any], forge: Forge) -> bool:
    """Whoever else writes the marker would get to edit what we say."""
    person, name, us = forge.author
    return bool((comment[person] or {}).get(name) == us)


def _pages(
    address: str, headers: Mapping[str, str], query: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    for page in count(1):
        words = urlencode({**(query or {}), "per_page": N_PER_PAGE, "page": page})
        found = _call("GET", f"{address}?{words}", headers)
        if not found:
            return
        yield from found


def _call(method: str, address: str, headers: Mapping[str, str], body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(address, data, {**headers, "Content-Type": "application/json"}, method=method)
    try:
        with build_opener(_Stay).open(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except HTTPError as error:
        said = error.read(500).decode("utf-8", errors="replace")
        raise InputError(f"{method} {address} must succeed. Got {error.code}: {said}") from None
    except (URLError, TimeoutError) as error:
        raise InputError(f"{method} {address} must be answered. {error}") from None


class _Stay(HTTPRedirectHandler):
    """Goes to no other address: it would get the token, and a POST become a GET on the way."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _required(environment: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise InputError(f"the environment must have {', '.join(missing)}.")
    return [environment[name] for name in names]
