"""Short texts of several scripts, line ends and faults, and encodings of every layout, for property tests."""

# ruff: noqa: RUF001  # text in several scripts is the subject

ENCODINGS = [
    "ascii", "utf-8", "cp1252", "koi8-r", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be",
    "shift_jis", "cp932", "euc_jp", "gb18030", "big5", "big5hkscs", "euc_kr", "johab", "iso2022_jp",
    "iso2022_jp_2", "iso2022_kr", "hz", "cp037", "cp500", "shift_jis_2004", "euc_jis_2004",
]  # fmt: skip

SAMPLES = [
    "A short line.\nAnother one, a little longer. And a third sentence!\n\nA new paragraph begins here.\n",
    "“Quoted”, she said — café, naïve, 50 €.\r\n\r\nЗдравствуй, мир! Как дела?\r\n",
    "これは日本語の文章です。改行もあります。\n漢字とかなが混ざっています。\n\n新しい段落。",
    "汉字文本，一句话。又一句话。\n한국어 문장입니다. 또 하나.\n",
    "no newline at all " * 12,
    "か\u309aと\u0300Ê̄ê̌",
    "x" * 70 + "\r" + "é" * 90,
    "schÃ¶n ist mojibake, und â€œAnfÃ¼hrungâ€\x9d auch.\n",
    "\x00nul\x07 bell\x1a\n\n\n\n \t\n",
]
