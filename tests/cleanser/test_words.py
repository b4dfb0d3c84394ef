"""Words, and whole texts, as spaCy and datatrove count them: values recorded from them, not computed here."""
# ruff: noqa: RUF001  # text in several scripts is the subject

from __future__ import annotations

import pytest

from warehouse.cleanser.measures.words import count_sentences, cut_word
from warehouse.cleanser.signals import measure_signals

TEXTS = {
    "novel": (
        "“Curiouser and curiouser!” cried Alice (she was so much surprised, that for the moment she quite forgot how\n"
        "to speak good English); “now I’m opening out like the largest telescope that ever was! Good-bye, feet!” (for\n"
        "when she looked down at her feet, they seemed to be almost out of sight, they were getting so far off). “Oh,\n"
        "my poor little feet, I wonder who will put on your shoes and stockings for you now, dears? I’m sure _I_\n"
        "shan’t be able! I shall be a great deal too far off to trouble myself about you: you must manage the best "
        "way\nyou can;—but I must be kind to them,” thought Alice, “or perhaps they won’t walk the way I want to go!\n"
        "Let me see: I’ll give them a new pair of boots every Christmas....”\n"
    ),
    "song": (
        "Twinkle, twinkle, little bat!\n  How I wonder what you're at!\nUp above the world you fly,\n"
        "  Like a tea-tray in the sky.\n     Twinkle, twinkle--\n\n\nTwinkle, twinkle, little bat!\n"
        "  How I wonder what you're at!\n\nTwinkle, twinkle, twinkle, twinkle...\n\n\nTwinkle, twinkle--\n"
    ),
    "manual": (
        "# Options {#options}\n\n- `--jobs=N`: run N jobs at once (default: 4)\n- `-q`, `--quiet`: print nothing\n"
        "* see https://docs.example.org/en/v2.1/options.html#jobs or mail docs@example.org.\n\n"
        "+------+-------+-----+\n| name | value | set |\n+======+=======+=====+\n| jobs |   4   | yes |\n"
        "+------+-------+-----+\n| quiet|  no   | yes |\n+------+-------+-----+\n\n"
        "    for i in range(0, 10): total += x[i]*2.5e-3  # 25km/h, 10am-5pm\n\n"
        'Set it before the first run [1].  Values such as {"a": 1} need JavaScript, e.g. in a browser.\n'
    ),
    "notice": (
        "This site uses cookies. Read our privacy policy and the terms of use. Prices from $12.50, i.e. 10% off!\n"
        "Lorem ipsum dolor sit amet, Mr. O'Neil said.[2]  “Is that so?”  \"It is.\"  He couldn't've known...\n"
        "• Call us on Mon.-Fri., 9a.m. to 5p.m.\n• U.S. and N.Y. offices: closed\nOk.\nNo more\n…\n"
    ),
    "languages": (
        "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n"
        "吾輩は猫である。名前はまだ無い。\nसभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।\n"
        "L’été, c’est déjà fini… « Quel dommage ! » dit-elle.\n¿Qué pasa? ¡Nada!\n"
    ),
}
"""Novel and song are Carroll's; the first lines of languages are Tolstoy's, Sōseki's and the United Nations'."""

DATATROVE = {
    "n_words": (177, 60, 133, 76, 56),
    "n_non_symbol_words": (142, 43, 57, 56, 42),
    "mean_word_length": (3.78169014, 4.44186047, 4.9122807, 3.73214286, 5.07142857),
    "hash_word_ratio": (0.0, 0.0, 0.03007519, 0.0, 0.0),
    "ellipsis_word_ratio": (0.00564972, 0.01666667, 0.0, 0.02631579, 0.01785714),
    "alphabetic_word_share": (0.80225989, 0.71666667, 0.38345865, 0.65789474, 0.71428571),
    "stop_word_kinds": (6, 1, 1, 5, 0),
    "bullet_line_share": (0.0, 0.0, 0.11764706, 0.28571429, 0.0),
    "ellipsis_line_share": (0.0, 0.07142857, 0.0, 0.28571429, 0.0),
    "duplicate_line_share": (0.0, 0.2, 0.14285714, 0.0, 0.0),
    "duplicate_line_character_share": (0.0, 0.22180451, 0.08627451, 0.0, 0.0),
    "duplicate_paragraph_share": (0.0, 0.0, 0.0, 0.0, 0.0),
    "duplicate_paragraph_character_share": (0.0, 0.0, 0.0, 0.0, 0.0),
    "top_2gram_character_share": (0.00843882, 0.16917293, 0.08823529, 0.03135889, 0.05223881),
    "top_3gram_character_share": (0.02109705, 0.16541353, 0.11764706, 0.04878049, 0.07462687),
    "top_4gram_character_share": (0.03516174, 0.21428571, 0.12352941, 0.07665505, 0.10074627),
    "duplicate_5gram_character_share": (0.0, 0.18421053, 0.08235294, 0.0, 0.0),
    "duplicate_6gram_character_share": (0.0, 0.16165414, 0.02352941, 0.0, 0.0),
    "duplicate_7gram_character_share": (0.0, 0.18045113, 0.02745098, 0.0, 0.0),
    "duplicate_8gram_character_share": (0.0, 0.10902256, 0.01568627, 0.0, 0.0),
    "duplicate_9gram_character_share": (0.0, 0.11278195, 0.01764706, 0.0, 0.0),
    "duplicate_10gram_character_share": (0.0, 0.13533835, 0.01960784, 0.0, 0.0),
    "n_lines": (7, 9, 13, 7, 5),
    "terminal_punctuation_line_share": (0.14285714, 0.66666667, 0.15384615, 0.57142857, 1.0),
    "short_line_share": (0.0, 0.88888889, 0.61538462, 0.42857143, 0.4),
    "fineweb_duplicate_line_character_share": (0.0, 0.23412698, 0.08924949, 0.0, 0.0),
    "newline_word_ratio": (0.03954802, 0.23333333, 0.12781955, 0.09210526, 0.08928571),
    "c4_n_sentences": (1, 5, 1, 2, 5),
    "c4_kept_character_share": (0.14345992, 0.53007519, 0.16078431, 0.13240418, 0.59701493),
    "c4_n_long_word_lines": (0, 0, 0, 0, 0),
    "c4_n_unterminated_lines": (6, 9, 15, 4, 2),
    "c4_n_few_word_lines": (0, 0, 0, 1, 0),
    "c4_n_javascript_lines": (0, 0, 1, 0, 0),
    "c4_n_policy_lines": (0, 0, 0, 1, 0),
    "c4_has_lorem_ipsum": (False, False, False, False, False),
    "c4_has_curly_bracket": (False, False, False, False, False),
}
"""What datatrove 0.10.1 computes inside its filters (benchmarks/datatrove_signals.py), for each of TEXTS in turn."""

SPACY = {
    "(don't)": "( do n't )",
    "“Can't": "“ Ca n't",
    "we'll've": "we 'll 've",
    "dogs’": "dogs ’",
    "boss's,": "boss 's ,",
    "U.S.A.": "U.S.A.",
    "e.g.,": "e.g. ,",
    "etc.).": "etc . ) .",
    "3.5km/h,": "3.5 km/h ,",
    "$9.99/lb.": "$ 9.99 / lb .",
    "10%-15%": "10%-15 %",
    "10am-5pm": "10am-5pm",
    "well-known/tried": "well - known / tried",
    "and/or;": "and/or ;",
    "mother--in---law": "mother -- in --- law",
    "C++,": "C++ ,",
    ":-)!": ":-) !",
    "(:": "(:",
    "x:=y": "x:=y",
    "a<b>c": "a < b > c",
    "http://a.example/b?c=d.": "http://a.example/b?c=d .",
    "ann@example.org,": "ann@example.org ,",
    "www.example.org": "www.example.org",
    "192.0.2.7:80": "192.0.2.7:80",
    "example.Com": "example . Com",
    "...wait...": "... wait ...",
    "…so": "… so",
    "+49": "+49",
    "+x": "+ x",
    "5+": "5 +",
    "5'11\"": "5'11 \"",
    "--jobs=4": "--jobs=4",
    "[12]": "[ 12 ]",
    "{a:1}": "{ a:1 }",
    "№5": "№ 5",
    "naïve-café": "naïve - café",
    "Ёлка,но": "Ёлка , но",
    "中文,测试": "中文 , 测试",
    "O’clock": "O’clock",
    "’Tis": "’ Tis",
    "I'ma": "I 'm a",
    "Mr.": "Mr.",
    "Dr.Who": "Dr. Who",
    "a.": "a.",
    "A.": "A.",
    "USA.": "USA .",
    "№": "№",
    "°C.": "° C .",
    "20°C.": "20 ° C .",
    "_under_score_": "_ under_score _",
    "#tag": "# tag",
    "50€.": "50€.",
    "US$5": "US$ 5",
    "😀!": "😀 !",
    "a,b,c": "a , b , c",
    "1,000,000": "1,000,000",
    "v1.2-rc3": "v1.2 - rc3",
    "'em'": "'em '",
    "''quoted''": "'' quoted ''",
}
"""Tokens of spacy.blank("en") of spaCy 3.8, with blanks between them."""


@pytest.mark.parametrize(("piece", "tokens"), SPACY.items())
def test_pieces_are_cut_as_by_spacy(piece: str, tokens: str) -> None:
    assert cut_word(piece) == tuple(tokens.split(" "))


def test_signals_are_those_of_datatrove() -> None:
    measured = measure_signals(list(TEXTS.values()))
    for name, expected in DATATROVE.items():
        assert measured[name].tolist() == pytest.approx(expected, abs=1e-6), name


@pytest.mark.parametrize(
    ("text", "n_sentences"),
    [
        ("", 0),
        ("No end", 1),
        ("One. Two! Three?", 3),
        ("Well?! (So he said.) Then: no...", 3),
        ("Mr. Fox met Dr. Hare at 3.15 p.m. on Monday.", 1),
        ("He said “no.” She said “yes.”", 2),
        ("End.  ...", 2),
        ("吾輩は猫である。名前はまだ無い。", 1),
    ],
)
def test_sentences_end_where_spacys_sentencizer_ends_them(text: str, n_sentences: int) -> None:
    assert count_sentences(text) == n_sentences


@pytest.mark.parametrize(
    "piece", ["a@b:" * 2000 + ".c", "(" * 9000, ":)" * 4000, "a:" * 4000, "x" * 50_000 + "."]
)
def test_no_piece_takes_long(piece: str) -> None:
    assert "".join(cut_word(piece)) == piece
