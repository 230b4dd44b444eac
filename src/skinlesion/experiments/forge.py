"""Read from GitHub or GitLab where the comment of a pull request goes; write nothing.

Needs nothing but Python's own library. CML writes the comment: it updates the last comment of the
first page that has its mark, whoever wrote it. What it would do is looked at here before.
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

__all__ = ["PullRequest", "check_mark", "github", "gitlab"]

# What `cml comment update --watermark-title=skinlesion` adds to a comment, and finds it by.
MARK = re.compile(
    r'!\[\]\(https://cml\.dev/watermark\.png#[0-9a-fA-F]+ "CML watermark skinlesion"\)'
)
N_PER_PAGE = 100
TIMEOUT_S = 30


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request, and how the forge is asked for its comments."""

    target: str  # as `cml comment update --target` takes it
    from_fork: bool
    comments: str  # address of its comments
    headers: Mapping[str, str]
    author: tuple[str, str, str]  # the keys of an author's name, and our own
    n_first_read: int | None  # the oldest comments, that CML reads; None where it reads the newest


def github(environment: Mapping[str, str]) -> PullRequest | None:
    """Find the pull request whose run has just ended, from the event `workflow_run`.

    Which one it is comes from the event and from GitHub, never from what the run has written.

    Args:
        environment: Of a GitHub workflow, with GITHUB_TOKEN.

    Returns:
        The pull request; None where it has been closed, or has a newer commit.

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
    return PullRequest(
        target=f"pr/{numbers[0]}",
        from_fork=of["full_name"] != repository,
        comments=f"{root}/issues/{numbers[0]}/comments",
        headers=headers,
        author=("user", "login", "github-actions[bot]"),
        n_first_read=30,
    )


def gitlab(environment: Mapping[str, str]) -> PullRequest:
    """Find the merge request that a pipeline runs for.

    Args:
        environment: Of a GitLab job, with GITLAB_TOKEN, a project access token.

    Returns:
        The merge request. It is of no fork: a fork's pipeline has no token.

    Raises:
        InputError: A variable is missing, or GitLab does not answer.
    """
    api, project, number, token = _required(
        environment, "CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID", "GITLAB_TOKEN"
    )
    headers = {"PRIVATE-TOKEN": token}
    return PullRequest(
        target="pr",
        from_fork=False,
        comments=f"{api}/projects/{quote(project, safe='')}/merge_requests/{number}/notes",
        headers=headers,
        author=("author", "username", _get(f"{api}/user", headers)["username"]),
        n_first_read=None,
    )


def check_mark(pull_request: PullRequest) -> None:
    """Check that CML would update our comment, or add the first one.

    Args:
        pull_request: Whose first page of comments is read, as CML reads it.

    Raises:
        InputError: The forge does not answer; CML would update a comment of somebody else, who
            could then change what we say; or it would add one more with every commit, since
            ours is not on the one page that it reads.
    """
    page = _get(pull_request.comments, pull_request.headers)
    marked = [comment for comment in page if MARK.search(comment["body"] or "")]
    person, name, us = pull_request.author
    if not marked:
        n = pull_request.n_first_read
        if n is not None and len(page) >= n:
            raise InputError(
                f"our comment must be among the first {n}: CML looks at no others, and would add "
                "one with every commit. The report is in the summary of its own run."
            )
        return
    author = (marked[-1][person] or {}).get(name)
    if author != us:
        raise InputError(
            f"the last comment with the mark of CML must be by {us}. Comment {marked[-1]['id']} "
            f"is by {author}, and CML would write into it. Delete that comment."
        )


def _pages(
    address: str, headers: Mapping[str, str], query: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for page in count(1):
        words = urlencode({**query, "per_page": N_PER_PAGE, "page": page})
        found = _get(f"{address}?{words}", headers)
        if not found:
            return
        yield from found


def _get(address: str, headers: Mapping[str, str]) -> Any:
    request = Request(address, headers=dict(headers), method="GET")
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except HTTPError as error:
        said = error.read(500).decode("utf-8", errors="replace")
        raise InputError(f"GET {address} must succeed. Got {error.code}: {said}") from None
    except (URLError, TimeoutError) as error:
        raise InputError(f"GET {address} must be answered. {error}") from None


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: another address would get the token."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _required(environment: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise InputError(f"the environment must have {', '.join(missing)}.")
    return [environment[name] for name in names]
