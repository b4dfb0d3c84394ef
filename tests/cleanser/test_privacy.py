"""What is private in a text, what only looks like it, and what masking leaves."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.cleanser.privacy import (
    KINDS,
    count_private,
    find_private,
    find_private_ranges,
    mask,
)
from warehouse.cleanser.private_data.addresses import count_urls


def found(text: str, *kinds: str) -> list[str]:
    """What is found of some kinds (all where none is given), as it stands in the text."""
    return [
        text[item.char_start : item.char_end]
        for item in find_private(text)
        if not kinds or item.kind in kinds
    ]


EMAILS = {
    "Write to jane.doe@press.example.co.uk.": "jane.doe@press.example.co.uk",
    "from <o'brien+lists@tcd.ie>, yesterday": "o'brien+lists@tcd.ie",
    "'joe@archive.org' said so": "joe@archive.org",
    "mailto:joe@archive.org?subject=hello": "joe@archive.org",
    "user=joe@archive.org&pass=x": "joe@archive.org",
    "see...joe@archive.org...": "joe@archive.org",
    "jürgen.groß@müller-söhne.de schrieb": "jürgen.groß@müller-söhne.de",
    "пишите: иван@почта.рф": "иван@почта.рф",
    "请联系info@tsinghua.edu.cn谢谢": "info@tsinghua.edu.cn",
    "relay for postmaster@[192.0.2.25]": "postmaster@[192.0.2.25]",
    "at JOE@ARCHIVE.ORG!": "JOE@ARCHIVE.ORG",
    "in punycode, a@xn--bcher-kva.xn--p1ai": "a@xn--bcher-kva.xn--p1ai",
}


@pytest.mark.parametrize(("text", "address"), EMAILS.items())
def test_email_addresses_are_found_within_their_bounds(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "@property and @pytest.mark.parametrize decorate",
        "the picture logo@2x.png and style@media.css",
        "matrix a@b, a @ b.T and x@y.T",
        "met @ noon... 3@5.00 each",
        "joe at archive dot org",
        "root@localhost",
        "joe@.org joe@archive. joe@-archive.org",
        "a..@archive.org",
        "email@example.com",
    ],
)
def test_other_uses_of_the_at_sign_are_left_alone(text: str) -> None:
    assert found(text) == []


PHONES = """
United States: (202) 456-1111 | 202-456-1111 | 202.456.1111 | 1-800-555-0199 | +1 202 456 1111 | +12024561111
United Kingdom: 020 7946 0958 | (0131) 496 0123 | 07700 900123 | +44 20 7946 0958 | +44 (0)20 7946 0958
Germany: 030 901820-15 | 030/90182015 | (089) 21800 123 | 0171-1234567 | +49 30 901820 | 0049 30 901820
France: 01 42 34 20 00 | 01.42.34.20.00 | +33 1 42 34 20 00 | +33 (0)1 42 34 20 00
Italy: 06 6982 1234 | +39 06 6982 1234
Netherlands: 020-5571234 | +31 20 557 1234
Belgium: 02 549 81 11 | +32 2 549 81 11
Switzerland: 044 668 18 00 | +41 44 668 18 00
Spain: +34 912 345 678 | Teléfono: 912 345 678
Portugal: +351 21 346 9950
Poland: +48 22 694 12 34 | tel. 22 694 12 34
Sweden: 08-786 40 00 | +46 8 786 40 00
Russia: 8 (495) 697-03-49 | 8-800-555-35-35 | +7 495 697-03-49 | тел.: 697-03-49
Turkey: 0212 123 45 67 | +90 212 123 45 67
India: 022 2345 6789 | +91 98765 43210 | Phone: 98765 43210
China: 138 0013 8000 | +86 10 6512 3456 | 电话: 010-65123456
Japan: 03-3581-5111 | 090-1234-5678 | +81 3-3581-5111
Korea: 02-730-5800 | +82 2-730-5800
Brazil: (11) 91234-5678 | (11) 3123-4567 | +55 11 91234-5678
Australia: (02) 6277 7111 | 0412 345 678 | +61 2 6277 7111
Mexico: +52 55 5093 4900 | Tel: 55 5093 4900
South Africa: 012 300 5200 | +27 12 300 5200
"""
NUMBERS = [
    (country, number)
    for line in PHONES.strip().splitlines()
    for country, numbers in [line.split(": ", 1)]
    for number in numbers.split(" | ")
]


@pytest.mark.parametrize(("country", "number"), NUMBERS)
def test_phone_numbers_of_many_countries_are_found_whole(country: str, number: str) -> None:
    digits = re.sub(r"^\D+(?=\(?\d)(?<!\+)(?<!\()", "", number)
    for text in (f"Our office in {country} answers at {number} from Monday.", f"{number}\n", f"({number})"):
        assert found(text, "phone") == [digits], text


@pytest.mark.parametrize(
    "text",
    [
        "in the wars of 1914-1918 and 1939\u20131945, and 1992/93",
        "ISBN 0-306-40615-2, ISBN 978-3-16-148410-0, ISSN 0317-8471, ISSN 2049-3630",
        "doi:10.1371/journal.pone.0057543, arXiv:2406.17557, PMID 18000000",
        "water, CAS 7732-18-5, and aspirin (50-78-2)",
        "Nature 402, 123-145 (1999); pp. 1023-1045",
        "on 01-02-2003, 2003-01-02 04:05:06, 24.12.1999 and 1999/12/24 at 12:30:45",
        "a population of 1 234 567, or 12.345.678, or $1,000,000 and 3.14159265358979",
        "Boston, MA 02110-1301 USA and SW1A 2AA",
        "x = 1234567890; y = 0x0012345678; id 0123456789",
        "US 5,432,109 and GB 2 345 678, order 123-4567890-1234567",
        "serial 000-123-456-789, key 0001 0002 0003 0004 0005",
        "00 01 02 03 04 05 06 07 and 30 da 03 46 28 08 06 ff",
        "+1 000 000, +5000000, +2 500 000 and a gain of +12.5",
        "1+2125550123 is no sum, c = a+4930901820",
        "her SSN was 123-45-6789",
        "telephones were few in 1914-1918; 200 phones = 3000/200; tel 1 000 000",
        "phone rang at 10:30, page 5",
        "combinations: 012 013 023 123",
        "192.168.100.100 and version 10.20.300.4000",
        "https://archive.org/0123-456-7890/021-555-0123",
        "+1-555-0100",
    ],
)
def test_numbers_of_prose_and_programs_are_no_phone_numbers(text: str) -> None:
    assert found(text) == []


def test_a_phone_number_ends_where_its_country_says() -> None:
    assert found("+1 212 555 0123 3 people came") == ["+1 212 555 0123"]
    assert found("+33 1 42 34 20 00 75007 Paris") == ["+33 1 42 34 20 00"]
    assert found("+41 44 668 18 00, +41 44 668 18 01") == ["+41 44 668 18 00", "+41 44 668 18 01"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ping 8.8.8.8", "8.8.8.8"),
        ("from 66.249.66.1:443.", "66.249.66.1"),
        ("[2a00:1450:4001:81b::200e]:80", "2a00:1450:4001:81b::200e"),
        ("resolves to 2606:4700:4700:0:0:0:0:1111,", "2606:4700:4700:0:0:0:0:1111"),
        ("http://93.184.216.34/index.html", "93.184.216.34"),
        ("\n8.8.4.4 dns.google", "8.8.4.4"),
    ],
)
def test_public_addresses_are_found(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1, 10.1.2.3, 172.16.5.4, 192.168.1.1, 169.254.7.7, 100.64.1.1, 192.0.2.1, 203.0.113.9",
        "mask 255.255.255.0, broadcast 255.255.255.255, multicast 224.0.0.251",
        "the networks 8.8.8.0/24 and 2001:db8::/32, 2002::/16, 3fff::",
        "fe80::1, ::1, fd00::5, 2001:db8::7, std::vector, a::b, 12:30:45",
        "version 1.2.3.4, v1.2.3.4, release 4.3.2.1, Firefox/3.6.1.2,",
        "Modules\\Get\\1.0.0.1, libfoo-1.2.3.4, 1.2.3.4-beta, pip==9.0.1.3",
        "ModuleVersion = '6.1.2.3' and PSVersion            5.1.2.3",
        "see section 3.1.2.4, Table 4.1.1.2 and § 1.2.3.4",
        "1.2.3.4 Results and Discussion\n  2.1.3.1 Method\n## 4.3.2.1 Outlook",
        "OID 1.3.6.1.4.1 and 1.2.840.113549, 999.1.1.1, 08.8.8.8, 1.2.3",
    ],
)
def test_addresses_of_no_host_and_numbering_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_card_numbers_need_an_issuer_a_grouping_and_a_check_digit() -> None:
    right = (
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "4222222222222",
        "2223003122003222",
    )
    for number in right:
        assert found(f"Paid with {number}, thanks.") == [number]
    assert found("4111 1111 1111 1111 12/27 123") == ["4111 1111 1111 1111"]
    wrong = (
        "4111 1111 1111 1112",  # check digit
        "1234567812345670",  # no issuer
        "0000 0000 0000 0000",
        "41111111 11111111",  # grouping
        "0.4111111111111111",
        "x4111111111111111",
        "4006381333931",  # a fountain pen's article number, though right as a card's too
        "https://www.facebook.com/help/379220725465972",
        "4012 4013 4014 4015 4016 4017",
    )
    for number in wrong:
        assert found(f"Not {number} at all.") == []


def test_ibans_need_their_country_its_length_and_check_digits() -> None:
    right = (
        "DE89 3704 0044 0532 0130 00",
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NO93 8601 1117 947",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        "CH93\xa00076\xa02011\xa06238\xa05295\xa07",
    )
    for number in right:
        assert found(f"Transfer to {number}. Thanks") == [number]
        assert found(f"{number} BIC COBADEFF") == [number]
    for number in ("DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130", "XX00 0000 0000 0000 0000"):
        assert found(f"Transfer to {number}. Thanks") == []


def test_counts_have_a_column_for_each_kind_and_one_for_urls() -> None:
    texts = [
        "",
        "joe@archive.org, jane@archive.org and 8.8.8.8",
        "call 202-456-1111, pay 4111 1111 1111 1111 or DE89 3704 0044 0532 0130 00; see http://a.org, www.b.org",
    ]
    counts = count_private(texts)
    assert {name: column.tolist() for name, column in counts.items()} == {
        "n_emails": [0, 2, 0],
        "n_phones": [0, 0, 1],
        "n_public_ips": [0, 1, 0],
        "n_cards": [0, 0, 1],
        "n_ibans": [0, 0, 1],
        "n_urls": [0, 0, 2],
    }
    assert all(column.dtype == np.int32 for column in counts.values())
    again = count_private(texts, find_private_ranges(texts))
    assert all((again[name] == counts[name]).all() for name in counts)


def test_urls_are_counted_by_scheme_or_www() -> None:
    assert count_urls("http://a.org/b?c=http://d.org <https://www.e.org> ftp://f.org HTTPS://G.ORG") == 5
    assert count_urls("see www.a.org, WWW.B.ORG; not awww.c.org, http:// or mailto:joe@archive.org") == 2


def test_masking_puts_readable_examples_in_the_place_of_the_kinds_asked_for() -> None:
    text = (
        "joe@archive.org, +49 30 901820, 8.8.8.8, 2606:4700::1111, 4111 1111 1111 1111, NO93 8601 1117 947."
    )
    ranges = find_private(text)
    assert mask(text, ranges, KINDS) == (
        "email@example.com, +1-555-0100, 192.0.2.1, 2001:db8::1, 0000 0000 0000 0000, XX00 0000 0000 0000 0000."
    )
    assert mask(text, ranges, ["email"]) == text.replace("joe@archive.org", "email@example.com")
    assert mask(text, ranges, []) is text


FRAGMENTS = (
    """
4111 1111 1111 1111|378282246310005|DE89 3704 0044 0532 0130 00|GB29NWBK60161331926819|8.8.8.8|66.249.66.1|@|.org|+49
2606:4700::1111|2a00:1450:4001:81b::200e|Tel: |phone |version |1914-1918|555-1234|00|0|1|12|é|中| |  |.|,|-|/|:|(|)|x|_
email@example.com|+1-555-0100|192.0.2.1|0000 0000 0000 0000
""".strip()
    .replace("\n", "|")
    .split("|")
)
PIECES = st.sampled_from([*FRAGMENTS, "\n", "\0", *EMAILS.values(), *(number for _, number in NUMBERS)])
TEXTS = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    st.text(st.sampled_from("0123456789 .-/()+@:abcdefDE\n,é"), max_size=80),
    st.text(max_size=60),
)


@given(TEXTS)
def test_ranges_lie_in_the_text_in_order_and_apart(text: str) -> None:
    ranges = find_private(text)
    ends = [0, *(item.char_end for item in ranges)]
    for end, item in zip(ends[:-1], ranges, strict=True):
        assert end <= item.char_start < item.char_end <= len(text)
        assert item.kind in KINDS


@given(TEXTS, st.sets(st.sampled_from(KINDS)))
def test_masking_twice_is_masking_once(text: str, kinds: set[str]) -> None:
    masked = mask(text, find_private(text), kinds)
    assert mask(masked, find_private(masked), kinds) == masked


@given(st.lists(TEXTS, max_size=6))
def test_a_text_gives_the_same_alone_and_among_others(texts: list[str]) -> None:
    assert find_private_ranges(texts) == [find_private(text) for text in texts]


REPEATED = (
    """
1|1 |12-|+1|(1|00 1 |0 (1) |a@|@|a.|a@a.|1.1.|1.1.1.1 |:|::|2001:|AA00 |DE89|4111 |4111111111111111 |tel |phone 1 |1-
tel no no no no |version |0123 456 |www.|http://
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [*REPEATED, "\u2013", "1\u2013"])
def test_no_text_makes_the_search_quadratic(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    find_private(text)
    count_urls(text)


def test_classic_books_hold_next_to_nothing_private(corpora: Path) -> None:
    books = sorted(path for path in (corpora / "prose" / "classic_books").rglob("*") if path.is_file())
    texts = [path.read_bytes()[:500_000].decode("utf-8", "replace") for path in books[:20]]
    assert texts
    assert sum(map(len, find_private_ranges(texts))) <= len(texts) / 2
