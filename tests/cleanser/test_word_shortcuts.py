"""Most pieces of prose are cut without the rules; they are cut as the rules would cut them."""
# ruff: noqa: RUF001  # quotation marks are the subject

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warehouse.cleanser.measures import words
from warehouse.cleanser.measures.special_words import special_words

RULES = words._rules()
SPECIAL = special_words()
PARTS = st.one_of(
    st.sampled_from(["dog", "Cat", "US", "IBM", "s", "UTF", "fellow", "morrow"]),
    st.sampled_from(sorted(SPECIAL)),
)
PIECES = st.builds(
    lambda before, parts, joint, after: before + joint.join(parts) + after,
    st.text("\"'([_“‘.", max_size=3),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["-", "--", "---", "'", "’", ".", ",--"]),
    st.text("sS\"'’,;:!?)]_”.", max_size=4),
)


def cut_by_rules(piece: str) -> words.Tokens:
    if piece in SPECIAL:
        return SPECIAL[piece]
    tokens = RULES._cut_by_rules(piece, RULES._special)
    return RULES._with_special_words(tokens) if len(tokens) > 1 else tokens


@given(PIECES)
def test_short_cuts_give_what_the_rules_give(piece: str) -> None:
    assert words.cut_words([piece]) == [words.cut_word(piece)] == [cut_by_rules(piece)]
