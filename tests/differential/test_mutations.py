"""The comparison finds what is wrong: one that never complains proves nothing."""

import pytest

from tests.differential.mutations import MUTATIONS
from tests.planted import copied, found

DOCUMENTS = 1_500


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The engine and the comparison, where a line may be wrong."""
    return copied(tmp_path_factory.mktemp("mutated"), "differential")


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_wrong_line_is_found(copy, mutation):
    """Within some thousand cases."""
    documents = str(DOCUMENTS)
    done = found(copy, mutation, "differential", "--differences", "1", "--documents", documents)
    assert done.returncode == 1, f"not found in {DOCUMENTS} documents"
    assert "replay: " in done.stdout, done.stdout + done.stderr
