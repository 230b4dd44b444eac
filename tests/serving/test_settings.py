"""serving.settings: by option, else by variable; a token where others can reach the service."""

import pytest

from skinlesion.errors import InputError
from skinlesion.serving import settings


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(f"SKINLESION_{name.upper()}", raising=False)
    return monkeypatch


def test_without_any_setting_only_this_machine_reaches_the_service():
    assert settings.load({"host": None}).host == "127.0.0.1"


def test_an_option_is_taken_before_a_variable_and_a_variable_before_the_default(environment):
    environment.setenv("SKINLESION_PORT", "9001")
    environment.setenv("SKINLESION_TILES", "7")

    found = settings.load({"port": 9002, "tiles": None})
    assert (found.port, found.tiles) == (9002, 7)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "example.org", ""])
def test_where_others_can_reach_it_a_service_without_token_is_refused(host):
    with pytest.raises(InputError, match="SKINLESION_TOKEN must be set where others"):
        settings.load({"host": host})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_loopback_a_service_needs_no_token(host):
    assert settings.load({"host": host}).token is None


def test_with_a_token_others_may_reach_it(environment):
    environment.setenv("SKINLESION_TOKEN", "x" * 16)

    assert settings.load({"host": "0.0.0.0"}).token.get_secret_value() == "x" * 16


def test_an_empty_token_is_none(environment):
    environment.setenv("SKINLESION_TOKEN", "")

    with pytest.raises(InputError, match="must be set"):
        settings.load({"host": "0.0.0.0"})


def test_a_token_that_can_be_guessed_is_refused_and_not_shown(environment):
    environment.setenv("SKINLESION_TOKEN", "hunter2")

    with pytest.raises(InputError, match="token must have at least 16") as refused:
        settings.load({})
    assert "hunter2" not in str(refused.value)


def test_settings_do_not_show_the_token(environment):
    environment.setenv("SKINLESION_TOKEN", "correct-horse-battery")

    assert "horse" not in repr(settings.load({}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("port", 65_536), ("port", -1), ("seconds", 0), ("tile_px", 25_000_001)],
        *[(n, 0) for n in ("tile_bytes", "tile_px", "tiles", "body_bytes", "requests")],
    ],
)
def test_a_setting_out_of_range_is_refused_by_its_name(name, value):
    with pytest.raises(InputError, match=rf"^{name} must be .* Got {value}"):
        settings.load({name: value})


def test_clients_are_told_each_limit_and_no_more():
    assert set(settings.load({}).limits) == {
        *(
            "tile_bytes",
            "tile_px",
            "request_px",
            "tiles",
            "body_bytes",
            "seconds",
            "requests",
            "explained",
        )
    }


def test_limits_of_the_command_line_are_read_by_name():
    given = settings.limits(["tiles=7", "seconds=0.5"])

    found = settings.load(given)
    assert (found.tiles, found.seconds) == (7, 0.5)


@pytest.mark.parametrize("word", ["tile=7", "tiles", "tiles=", "token=" + "x" * 16, "=3"])
def test_what_is_no_limit_is_refused_with_those_that_are(word):
    with pytest.raises(InputError, match=r"--limit must be NAME=NUMBER, with a name of tile_bytes"):
        settings.limits([word])


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_a_token_that_was_kept_in_a_file_is_its_line(environment, end):
    environment.setenv("SKINLESION_TOKEN", "correct-horse-battery" + end)

    assert settings.load({}).token.get_secret_value() == "correct-horse-battery"


@pytest.mark.parametrize("token", ["correct horse battery", "korrekte-pferdebätterie"])
def test_a_token_that_no_header_holds_is_refused_and_not_shown(environment, token):
    environment.setenv("SKINLESION_TOKEN", token)
    with pytest.raises(InputError, match="token must be of printable ASCII") as refused:
        settings.load({})
    assert token not in str(refused.value)
