"""serving.row: a lesion's row as JSON."""

import pytest

from skinlesion.serving import refusal, row
from skinlesion.serving.values import Column

NEEDED = [Column("age_approx", is_number=True), Column("sex", is_number=False)]


def test_a_row_has_the_columns_that_the_models_read_and_no_others():
    found = row.read(b'{"sex": "male", "age_approx": "60", "target": 1, "isic_id": " A "}', NEEDED)

    assert found.to_dict("records") == [
        {"isic_id": "A", "patient_id": "patient", "age_approx": 60.0, "sex": "male"}
    ]


def test_identifiers_may_be_left_out():
    found = row.read(b'{"sex": null, "age_approx": null, "isic_id": null}', NEEDED)

    assert found[["isic_id", "patient_id"]].iloc[0].tolist() == ["lesion", "patient"]


@pytest.mark.parametrize(
    "content",
    [
        *[b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b'{"a": 1, "a": 2}', b"{'a': 1}"],
        *[b'{"age_approx": NaN, "sex": null}', b'{"age_approx": -Infinity, "sex": null}'],
        *[b"[" * 50_000, b'{"a":' * 9_000, b'{"age_approx": ' + b"9" * 9_000 + b"}"],
        b'{"age_approx": 1, "sex": "male", "isic_id": 7}',
        b'{"age_approx": 1, "sex": "male", "isic_id": "\\u0000"}',
        b'{"age_approx": 1, "sex": "male", "patient_id": "\\ud800"}',
    ],
)
def test_what_is_no_row_is_refused_by_its_field(content):
    with pytest.raises(refusal.RefusalError) as error:
        row.read(content, NEEDED)
    assert error.value.status == 422
    assert error.value.findings[0].field.startswith("row")


def test_a_row_longer_than_any_is_refused_before_it_is_read():
    with pytest.raises(refusal.RefusalError) as error:
        row.read(b" " * (row.N_BYTES + 1), NEEDED)
    assert error.value.status == 413
