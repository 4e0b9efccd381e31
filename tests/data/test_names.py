"""Names in one block of bytes are the same sequence as a list of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convatlas.data import names as names_module
from convatlas.data.names import Names

# what a file system may hold, as Python shows it: any bytes
FILES = st.lists(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.just("caf\udce9.png"))
)


@given(FILES, st.randoms(use_true_random=False))
def test_they_are_the_list_they_were_made_of(listed, random):
    names = Names.of(listed)
    assert names == listed
    assert list(names) == listed == [names[i] for i in range(len(listed))]
    assert names[1:3] == listed[1:3]
    assert names[::-1] == listed[::-1]
    assert [name.decode(errors="surrogateescape") for name in names.encoded()] == listed
    chosen = [random.randrange(len(listed)) for _ in range(7)] if listed else []
    assert names.take(np.array(chosen, int)) == [listed[i] for i in chosen]
    assert Names.joined([names, names.take(np.array(chosen, int))]) == (
        [*listed, *(listed[i] for i in chosen)]
    )


def test_other_names_are_not_equal_though_their_letters_are():
    assert Names.of(["ab", "c"]) != Names.of(["a", "bc"])
    assert Names.of(["ab"]) != ["ab", ""]
    assert Names.of(["ab"]) != "ab"
    assert Names.of(()) == [] == Names.joined([])


def test_what_is_not_there_is_an_index_error():
    names = Names.of(["a", "b"])
    assert names[-1] == "b"
    for i in (2, -3):
        with pytest.raises(IndexError):
            names[i]


def test_many_are_copied_in_pieces(monkeypatch):
    monkeypatch.setattr(names_module, "GATHERED", 3)
    names = Names.of(f"n{i}" for i in range(20))
    chosen = np.random.default_rng(0).permutation(20)
    assert names.take(chosen) == [f"n{i}" for i in chosen]
