"""Words that the English tokenizer does not cut by its general rules: contractions, abbreviations, emoticons.

The words are those that spaCy's English tokenizer (explosion.ai, MIT; `spacy.blank("en")` of 3.8) treats as special
cases, because datatrove counts its tokens. They are stated by how they are built, not listed one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

_SUBJECT_ENDINGS = {
    "i": "'m 'm+a 'll 'll+'ve 'd 'd+'ve 've",
    "you we they": "'ll 'll+'ve 'd 'd+'ve 've 're",
    "he she it": "'ll 'll+'ve 'd 'd+'ve 's",
    "who what when where why how there": "'s 'll 'll+'ve 'd 'd+'ve 're 've",
    "that this": "'s 'll 'll+'ve 'd 'd+'ve",
    "these those": "'ll 'll+'ve 'd 'd+'ve 're 've",
    "could might must should would": "'ve n't n't+'ve",
    "ca do does did had may need ought sha wo": "n't n't+'ve",
    "ai are is was were have has dare": "n't",
}
"""Words and what may follow them; each is written with its apostrophes or without."""

_NO_CONTRACTION = frozenset({"ill", "its", "hell", "shell", "shed", "were", "well", "whore"})
"""Words of their own, though they look like a contraction without its apostrophe."""

_CUT = (
    "y'+all y+all how+'d+'y How+'d+'y not+'ve not+ve Not+'ve Not+ve can+not Can+not gon+na Gon+na got+ta Got+ta "
    "let+'s Let+'s c'm+on C'm+on"
)

_WHOLE = (
    # dropped letters
    "doin goin nothin nuthin ol somethin Doin Goin Nothin Nuthin Ol Somethin lovin Lovin havin Havin "
    "doin' goin' nothin' nuthin' ol' somethin' Doin' Goin' Nothin' Nuthin' Ol' Somethin' lovin' Lovin' havin' Havin' "
    "em ll nuff 'em 'll 'nuff 'S 's \u2018S \u2018s 're 'd 'Cause 'cause 'cos 'Cos 'coz 'Coz 'cuz 'Cuz 'bout "
    "ma'am Ma'am o'clock O'clock and/or w/o "
    # American states and months
    "Ak. Ala. Ariz. Ark. Calif. Colo. Conn. Del. Fla. Ga. Ia. Id. Ill. Ind. Kan. Kans. Ky. La. Mass. Md. Mich. Minn. "
    "Miss. Mo. Mont. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Okla. Ore. Pa. S.C. Tenn. Va. Wash. Wis. D.C. "
    "Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep. Sept. Oct. Nov. Dec. "
    # titles and the like
    "Adm. Bros. co. Co. Corp. Dr. Gen. Gov. Inc. Jr. Ltd. Messrs. Mr. Mrs. Ms. Mt. Ph.D. Prof. Rep. Rev. Sen. St. "
    "a.m. p.m. e.g. E.g. E.G. i.e. I.e. I.E. vs. v.s. "
    # signs
    "' '' \\\") \\t \\n <space> C++ \u2014"
)

_LETTERS_WITH_STOP = "abcdefghijklmnopqrstuvwxyzäöü"

_FACES = (
    # eyes, noses (~ is none), mouths
    (":", "~ -", ") )) ))) ( (( ((( ] } / | P p O o 0 * 3 > X x D"),
    (":", "' '-", ") ("),
    (";", "~ -", ") D"),
    ("=", "~", ") ( ] [ / | D 3"),
    ("8", "~ -", ") D"),
)
_MIRRORED_FACES = ((":", "~ -", "( ) ["), (";", "~ -", "("), ("=", "~", "( [ ]"), ("8", "-", "("))
_OTHER_FACES = (
    ":o) (o: :1 :() >:o >:( xD xDD XD XDD ^_^ ^__^ ^___^ >.< >.> <.< ._. ;_; -_- -__- v.v V.V v_v V_V @_@ <3 <33 <333 "
    "</3 (^_^) (-_-) (._.) (>_<) (*_*) (¬_¬) ಠ_ಠ ಠ︵ಠ (ಠ_ಠ) ¯\\(ツ)/¯ (╯°□°）╯︵┻━┻ ><(((*>"  # noqa: RUF001  # faces
)
_EYE_PAIRS = "o_o o_O O_o O_O 0_o o_0 0_0 o.O O.o O.O o.o 0.0 o.0 0.o"


def special_words() -> dict[str, tuple[str, ...]]:
    """Every special word with the tokens that it is cut into."""
    words = {word: tokens for word, tokens in _contractions() if word.lower() not in _NO_CONTRACTION}
    for cut in _CUT.split():
        words[cut.replace("+", "")] = tuple(cut.split("+"))
    for hour, period in product(range(1, 13), ("a.m.", "am", "p.m.", "pm")):
        words[f"{hour}{period}"] = (str(hour), period)
    for unit in "cfkCFK":
        words[f"°{unit}."] = ("°", unit, ".")
    whole = [*_WHOLE.split(), *_faces(), *(f"{letter}." for letter in _LETTERS_WITH_STOP)]
    words.update({word: (word,) for word in whole})
    return words | {_curled(word): tuple(map(_curled, tokens)) for word, tokens in words.items()}


def _curled(word: str) -> str:
    return word.replace("'", "\u2019")


def _contractions() -> Iterator[tuple[str, tuple[str, ...]]]:
    for subjects, endings in _SUBJECT_ENDINGS.items():
        for subject, ending in product(subjects.split(), endings.split()):
            for written in (subject, subject.title()):
                tokens = (written, *ending.split("+"))
                bare = tuple(token.replace("'", "") for token in tokens)
                yield "".join(tokens), tokens
                yield "".join(bare), bare


def _faces() -> Iterator[str]:
    for eyes, noses, mouths in _FACES:
        for nose, mouth in product(noses.replace("~", "").split(" "), mouths.split()):
            yield eyes + nose + mouth
    for eyes, noses, mouths in _MIRRORED_FACES:
        for nose, mouth in product(noses.replace("~", "").split(" "), mouths.split()):
            yield mouth + nose + eyes
    yield from _OTHER_FACES.split()
    yield from _EYE_PAIRS.split()
