"""experiments.forge: one comment, of the right pull request, from a text that nobody can trust."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.loopback_forge import BOT, TOKEN_OWNER, serving

from skinlesion.errors import InputError
from skinlesion.experiments import forge

ROOT = Path(__file__).parents[2]
HEAD = "a" * 40
OURS = {"github": BOT, "gitlab": TOKEN_OWNER}
BOTH = pytest.mark.parametrize("kind", OURS)


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
            "GITHUB_API_URL": server.address,
            "GITHUB_REPOSITORY": "team/lesions",
            "GITHUB_EVENT_PATH": str(event_json),
            "GITHUB_TOKEN": "secret",
            "CI_API_V4_URL": server.address,
            "CI_PROJECT_ID": "7",
            "CI_MERGE_REQUEST_IID": "3",
            "GITLAB_TOKEN": "secret",
        }

    return make


def pull(number: int, label: str, sha: str) -> dict:
    return {"number": number, "label": label, "head": {"sha": sha}}


def fork(name: str) -> dict:
    return {"full_name": f"{name}/lesions", "owner": {"login": name}}


def found(kind: str, environment) -> forge.Forge:
    return getattr(forge, kind)(environment())


# === The comment ===


@BOTH
def test_the_first_report_is_a_new_comment_and_the_next_one_takes_its_place(
    server, environment, kind
):
    assert forge.post("one", found(kind, environment)) == "created"
    assert forge.post("two", found(kind, environment)) == "updated"

    (text,) = server.texts(OURS[kind])
    assert text.startswith(forge.MARKER)
    assert text.endswith("\ntwo")


@BOTH
def test_our_comment_is_found_behind_any_number_of_others(server, environment, kind):
    for i in range(2 * forge.N_PER_PAGE):
        server.add(f"remark {i}", "someone")
    forge.post("one", found(kind, environment))

    assert forge.post("two", found(kind, environment)) == "updated"
    assert len(server.texts(OURS[kind])) == 1
    assert "remark 199" in server.texts("someone")


@BOTH
def test_a_comment_of_somebody_else_is_never_edited_even_with_our_marker(server, environment, kind):
    theirs = server.add(f"{forge.MARKER}\nlet me speak for you", "someone")["body"]

    assert forge.post("one", found(kind, environment)) == "created"
    assert server.texts("someone") == [theirs]


@BOTH
def test_another_comment_of_ours_stays_as_it_is(server, environment, kind):
    server.add(f"quoted: {forge.MARKER}", OURS[kind])

    assert forge.post("one", found(kind, environment)) == "created"


def test_a_long_report_is_cut_to_what_github_takes_and_says_so(server, environment):
    forge.post("@x" * forge.MAX_CHARS, found("github", environment))

    (text,) = server.texts(BOT)
    assert len(text) < 65_536
    assert text.endswith(forge.CUT)


def test_nobody_is_called_by_a_report(server, environment):
    forge.post("@everyone (@team/all) `train@0` me@example.org", found("github", environment))

    (text,) = server.texts(BOT)
    assert "@everyone" not in text
    assert "@team" not in text
    assert "`train@0` me@example.org" in text


# === Which pull request ===


def test_a_pull_request_is_known_by_the_branch_and_the_commit_of_the_run(server, environment):
    server.pulls = [
        pull(4, "someone:change", HEAD),
        pull(6, "team:other", HEAD),
        pull(5, "team:change", HEAD),
    ]
    assert forge.github(environment()).comments.endswith("/issues/5/comments")


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
    assert forge.github(of_fork).comments.endswith("/issues/5/comments")


def test_the_report_of_a_fork_is_said_to_be_one_and_ours_is_not(server, environment):
    server.pulls.append(pull(5, "someone:change", HEAD))

    assert forge.github(environment(head_repository=fork("someone"))).notice == forge.FROM_A_FORK
    assert forge.github(environment()).notice == ""


@BOTH
def test_a_variable_that_is_missing_is_named(environment, kind):
    name = f"{kind.upper()}_TOKEN"
    with pytest.raises(InputError, match=rf"the environment must have {name}\."):
        getattr(forge, kind)(environment() | {name: ""})


# === The connection ===


@BOTH
def test_a_refusal_is_an_error_that_says_what_was_asked_and_answered(server, environment, kind):
    where = found(kind, environment)
    server.refuses = 403

    with pytest.raises(InputError, match=r'GET http://127.* must succeed\. Got 403: .*"no"'):
        forge.post("one", where)


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
            forge.post("one", where)

    assert "secret" in str(server.asked[-1])
    assert elsewhere.asked == []


# === The file ===


def test_a_report_is_read_as_text_whatever_its_bytes_are(tmp_path):
    (tmp_path / "report.md").write_bytes(b"pAUC \xff 0.14")

    assert forge.read(tmp_path / "report.md") == "pAUC � 0.14"


def test_no_more_is_read_than_a_megabyte(tmp_path):
    (tmp_path / "report.md").write_bytes(b"x" * (forge.MAX_BYTES + 1))

    assert len(forge.read(tmp_path / "report.md")) == forge.MAX_BYTES


def test_a_link_is_not_followed_to_the_secrets_of_the_machine(tmp_path):
    (tmp_path / "secrets").write_text("token")
    (tmp_path / "report.md").symlink_to(tmp_path / "secrets")

    with pytest.raises(InputError, match=r"report\.md must be a file, and no link"):
        forge.read(tmp_path / "report.md")


def test_posting_needs_nothing_but_pythons_own_library(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-S", "scripts/pull_request.py", "post", str(tmp_path / "report.md")],
        cwd=ROOT,
        env={"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
    )
    assert ran.stderr.startswith(f"error: {tmp_path}/report.md must be a file")
