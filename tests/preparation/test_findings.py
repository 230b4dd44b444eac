"""preparation.findings: each group of findings is one line, and errors refuse the folder."""

import pytest

from skinlesion.errors import InputError
from skinlesion.preparation.findings import Findings


@pytest.mark.parametrize(("n", "shown"), [(1, 1), (10, 10), (11, 10), (12_345, 10)])
def test_a_group_is_its_count_and_at_most_ten_isic_ids(n, shown):
    findings = Findings()
    findings.warnings["what"] += [f"ISIC_{i}" for i in range(n)]
    (line,) = findings.lines("warnings")
    assert line.startswith(f"what ({n:,}): ISIC_0")
    assert line.count("ISIC_") == shown
    assert line.endswith(" ...") == (n > 10)


def test_warnings_refuse_nothing():
    findings = Findings()
    findings.warnings["a tile has no row"].append("ISIC_1")
    findings.require_none()


def test_a_finding_without_lesions_is_said_without_a_count():
    findings = Findings()
    findings.errors["encode: 'agee' is no column"] += []
    assert findings.lines("errors") == ["encode: 'agee' is no column"]
    with pytest.raises(InputError, match="'agee' is no column"):
        findings.require_none()
