"""serving.pages: the documentation, from the schema, without a file from elsewhere."""

import re
from importlib import resources

from skinlesion.reporting import statements


def test_each_operation_and_each_schema_is_documented(client):
    page, schema = client.get("/docs").text, client.get("/openapi.json").json()

    for path in schema["paths"]:
        assert path in page
    for name in schema["components"]["schemas"]:
        assert f'id="{name}"' in page


def test_a_page_loads_nothing_from_elsewhere_and_has_no_script_of_its_own(client):
    page = client.get("/docs").text
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', page)

    assert set(loaded) == {"docs.css", "openapi.json", "./"}
    assert "<script" not in page
    assert "style=" not in page


def test_each_file_of_a_page_has_its_kind_and_is_asked_for_again(client):
    answer = client.get("/docs.css")

    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_what_the_models_are_not_for_is_said_in_the_same_words_everywhere(client):
    assert client.get("/v1/model").json()["notice"] == statements.NOTICE
    assert client.get("/openapi.json").json()["info"]["description"] == statements.NOTICE
    assert f">{statements.NOTICE}<" in client.get("/").text


def test_no_file_but_those_is_served(client):
    for path in ("/docs.html", "/pages.py", "/page/", "/../pages.py", "/%2e%2e/app.py"):
        assert client.get(path).status_code == 404


def test_the_page_and_all_that_lies_beside_it_are_served(client):
    files = [p.name for p in resources.files("skinlesion.serving").joinpath("page").iterdir()]

    assert "page.js" in files
    assert client.get("/").text.startswith("<!doctype html>")
    for name in set(files) - {"index.html"}:
        answer = client.get(f"/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(("text/", "image/svg+xml"))
