"""serving.form: a multipart body taken apart in memory."""

import pytest

from skinlesion.serving import form, refusal

TYPE = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="tile"; filename="a.png"\r\n\r\n'
WHOLE = PART + b"\x89PNG\r\n--bx\r\n--b--\r\n"


def refused(body: bytes, content_type: str = TYPE, n_max: int = 9) -> refusal.RefusalError:
    with pytest.raises(refusal.RefusalError) as error:
        form.parts(body, content_type, n_max=n_max)
    return error.value


def test_a_part_keeps_its_name_its_file_name_and_each_byte():
    [part] = form.parts(WHOLE, TYPE, n_max=1)

    assert (part.name, part.filename) == ("tile", "a.png")
    assert part.content == b"\x89PNG\r\n--bx"


def test_parts_stay_in_their_order():
    body = PART + b"1\r\n" + PART + b"2\r\n--b--\r\n"

    assert [p.content for p in form.parts(body, TYPE, n_max=2)] == [b"1", b"2"]


@pytest.mark.parametrize("end", range(1, len(WHOLE) - 4, 7))
def test_a_form_that_is_cut_off_is_refused(end):
    assert refused(WHOLE[:end]).status == 422


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=b"]
)
def test_another_content_type_is_refused_by_the_header_that_says_it(content_type):
    error = refused(WHOLE, content_type)

    assert (error.status, error.findings[0].field) == (422, "Content-Type")


@pytest.mark.parametrize(
    "body", [b"", b"x", b"--b\r\n", b"--b\r\nno header\r\n\r\n", b"--c\r\n\r\n--c--"]
)
def test_what_is_no_form_is_refused(body):
    assert refused(body).status == 422


def test_a_name_that_is_no_text_is_refused():
    assert refused(WHOLE.replace(b"a.png", b"\xff.png")).status == 422


def test_more_parts_than_may_be_are_refused_as_too_large():
    assert refused(PART + b"1\r\n" + WHOLE, n_max=1).status == 413


def test_a_boundary_without_end_is_refused():
    assert refused(WHOLE, f"multipart/form-data; boundary={'b' * 5000}").status == 422


@pytest.mark.parametrize("n", [0, 2])
def test_of_a_single_part_there_must_be_one(n):
    with pytest.raises(refusal.RefusalError) as error:
        form.single([form.Part("row", "")] * n, "row")
    assert error.value.findings[0].model_dump() == {
        "field": "row",
        "expected": "one part of this name",
        "found": str(n),
    }
