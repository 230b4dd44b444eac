"""experiments.forge: the right pull request, and a comment that is ours or none."""

import json

import pytest
from tests.loopback_forge import BOT, GITHUB_API, GITLAB_API, MARK, TOKEN_OWNER, serving

from skinlesion.errors import InputError
from skinlesion.experiments import forge

HEAD = "a" * 40
OURS = {"github": BOT, "gitlab": TOKEN_OWNER}
BOTH = pytest.mark.parametrize("kind", OURS)
REPORT = f"a report\n\n{MARK.format(HEAD)}"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as found:
        found.pulls = [pull(5, "team:change", HEAD)]
        yield found


@pytest.fixture
def environment(server, tmp_path):
    """What GitHub and GitLab tell a job; a change of the event is given by its keys."""

    def make(**changes) -> dict[str, str]:
        run = {
            "head_sha": HEAD,
            "head_branch": "change",
            "head_repository": {"full_name": "team/lesions", "owner": {"login": "team"}},
        }
        event_json = tmp_path / "event.json"
        event_json.write_text(json.dumps({"workflow_run": run | changes}))
        return {
            "GITHUB_API_URL": server.address + GITHUB_API,
            "GITHUB_REPOSITORY": "team/lesions",
            "GITHUB_EVENT_PATH": str(event_json),
            "GITHUB_TOKEN": "secret",
            "CI_API_V4_URL": server.address + GITLAB_API,
            "CI_PROJECT_ID": "7",
            "CI_MERGE_REQUEST_IID": "3",
            "GITLAB_TOKEN": "secret",
        }

    return make


def pull(number: int, label: str, sha: str) -> dict:
    return {"number": number, "label": label, "head": {"sha": sha}}


def fork(name: str) -> dict:
    return {"full_name": f"{name}/lesions", "owner": {"login": name}}


def found(kind: str, environment) -> forge.PullRequest:
    return getattr(forge, kind)(environment())


# === Which pull request ===


def test_a_target_is_what_cml_takes(environment):
    assert found("github", environment).target == "pr/5"
    assert found("gitlab", environment).target == "pr"


def test_a_pull_request_is_known_by_the_branch_and_the_commit_of_the_run(server, environment):
    server.pulls = [
        pull(4, "someone:change", HEAD),
        pull(6, "team:other", HEAD),
        pull(5, "team:change", HEAD),
    ]
    assert forge.github(environment()).target == "pr/5"


@pytest.mark.parametrize("changes", [{"head_sha": "b" * 40}, {"head_repository": None}])
def test_a_run_of_an_older_commit_or_of_a_deleted_fork_has_no_pull_request(environment, changes):
    assert forge.github(environment(**changes)) is None


def test_two_pull_requests_with_the_same_head_are_refused(server, environment):
    server.pulls.append(pull(8, "team:change", HEAD))

    with pytest.raises(InputError, match=r"one pull request .* Got \[5, 8\]"):
        forge.github(environment())


def test_the_name_of_a_branch_is_no_part_of_an_address(server, environment):
    branch = "x&state=closed&head=team:change#/../é"
    server.pulls = [pull(5, f"someone:{branch}", HEAD)]

    of_fork = environment(head_branch=branch, head_repository=fork("someone"))
    assert forge.github(of_fork).target == "pr/5"


def test_a_fork_is_known_by_the_repository_of_its_branch(server, environment):
    server.pulls.append(pull(5, "someone:change", HEAD))

    assert forge.github(environment(head_repository=fork("someone"))).from_fork
    assert not forge.github(environment()).from_fork


@BOTH
def test_a_variable_that_is_missing_is_named(environment, kind):
    name = f"{kind.upper()}_TOKEN"
    with pytest.raises(InputError, match=rf"the environment must have {name}\."):
        getattr(forge, kind)(environment() | {name: ""})


# === Which comment ===


@BOTH
def test_a_first_comment_may_be_added_and_our_last_one_updated(server, environment, kind):
    server.add("a remark", "someone")
    forge.check_mark(found(kind, environment))
    server.add(REPORT, OURS[kind])
    forge.check_mark(found(kind, environment))


@BOTH
@pytest.mark.parametrize("author", ["someone", None])
def test_a_mark_of_somebody_else_is_refused_where_cml_would_update_it(
    server, environment, kind, author
):
    theirs = server.add(REPORT, author)
    if author is None:  # an account that has been deleted
        theirs |= {"user": None, "author": None}

    with pytest.raises(InputError, match=rf"must be by .* Comment 1000 is by {author}, and CML"):
        forge.check_mark(found(kind, environment))


@BOTH
def test_a_mark_of_somebody_else_does_no_harm_where_cml_takes_ours(server, environment, kind):
    """CML takes the last marked comment of the page: on GitLab that is the oldest."""
    authors = ["someone", OURS[kind]]
    for author in authors if kind == "github" else reversed(authors):
        server.add(REPORT, author)

    forge.check_mark(found(kind, environment))


@pytest.mark.parametrize(
    "text",
    [
        "CML watermark skinlesion",
        MARK.format(HEAD).replace("skinlesion", "other"),
        MARK.format("no-hash"),
        None,
    ],
)
@BOTH
def test_what_only_resembles_the_mark_is_no_mark(server, environment, kind, text):
    server.add(text, "someone")

    forge.check_mark(found(kind, environment))


def test_on_github_no_comment_is_added_behind_the_page_that_cml_reads(server, environment):
    for i in range(29):
        server.add(f"remark {i}", "someone")
    forge.check_mark(found("github", environment))  # the first one would be on the page

    server.add("one more", "someone")
    server.add(REPORT, BOT)
    with pytest.raises(InputError, match=r"must be among the first 30: CML looks at no others"):
        forge.check_mark(found("github", environment))


def test_on_gitlab_a_comment_may_be_added_behind_twenty_newer_notes(server, environment):
    """CML reads the newest notes there, so it finds the new one again."""
    server.add(REPORT, TOKEN_OWNER)
    for i in range(40):
        server.add(f"remark {i}", "someone")

    forge.check_mark(found("gitlab", environment))


@BOTH
def test_nothing_is_ever_written(server, environment, kind):
    server.add(REPORT, OURS[kind])
    forge.check_mark(found(kind, environment))

    assert {method for method, _, _ in server.asked} == {"GET"}


# === The connection ===


@BOTH
def test_a_refusal_is_an_error_that_says_what_was_asked_and_answered(server, environment, kind):
    where = found(kind, environment)
    server.refuses = 403

    with pytest.raises(InputError, match=r'GET http://127.* must succeed\. Got 403: .*"no"'):
        forge.check_mark(where)


def test_a_forge_that_does_not_answer_is_an_error(environment):
    nowhere = environment() | {"GITHUB_API_URL": "http://127.0.0.1:1"}
    with pytest.raises(InputError, match=r"must be answered"):
        forge.github(nowhere)


@BOTH
def test_the_token_goes_to_no_address_that_the_forge_sends_us_on_to(server, environment, kind):
    where = found(kind, environment)
    with serving() as elsewhere:
        server.sends_on_to = elsewhere.address
        with pytest.raises(InputError, match=r"Got 302"):
            forge.check_mark(where)

    assert "secret" in str(server.asked[-1])
    assert elsewhere.asked == []
