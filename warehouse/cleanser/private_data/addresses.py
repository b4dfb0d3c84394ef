"""E-mail addresses, public IP addresses and URLs in text.

What lives here: where each stands in one text. What does not: which of two readings of the same characters holds
(``privacy.py``).

Every search is linear: what surrounds a sign is looked at up to the length that the standards allow, never further.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

Span = tuple[int, int]

EXAMPLE_EMAIL = "email@example.com"
EXAMPLE_IPV4 = "192.0.2.1"
"""Of the block that RFC 5737 keeps for documentation."""
EXAMPLE_IPV6 = "2001:db8::1"
"""Of the block that RFC 3849 keeps for documentation."""

LONGEST_LOCAL_PART = 64
LONGEST_DOMAIN = 253
"""Characters on either side of an at sign: RFC 5321, section 4.5.3.1, less the root's dot."""
LONGEST_LABEL = 63

_ASCII_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SPACED_LETTERS = "".join(chr(code) for code in range(0xC0, 0x530) if chr(code).isalpha())
"""Letters of scripts that part words by spaces: Latin, Greek, Cyrillic. Chinese text runs on into an address."""
_LABEL = _ASCII_ALPHANUMERIC + _SPACED_LETTERS + "-"
_DOMAIN = _LABEL + "."
_LOCAL = _ASCII_ALPHANUMERIC + _SPACED_LETTERS + "._%+-~&'"
"""The signs of RFC 5322's atoms that people use in addresses; the others part an address from its surroundings
(``from=jane@…``, ``{name}@…``) far more often."""

_FILE_ENDING = re.compile(
    "png|jpe?g|gif|svg|webp|bmp|ico|avif|s?css|m?jsx?|tsx?|json|xml|html?|txt|pdf|ya?ml", re.IGNORECASE
)
"""No top-level domains: ``logo@2x.png`` is a file."""

_ADDRESS_LITERAL = re.compile(r"\[(?:IPv6:)?[0-9A-Fa-f:.]{3,45}\](?![\w@+(\-]|\.\w)")


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses: a local part, an at sign and a domain of two labels or more with a top-level one.

    The domain may be an address in brackets (RFC 5321). Quoted local parts and spelled-out addresses (name at
    domain dot org) are not looked for, and `EXAMPLE_EMAIL` is nobody's.
    """
    at, end = text.find("@"), 0
    while at >= 0:
        start = _local_start(text, at, end)
        if start < at and (stop := _domain_end(text, at + 1)):
            if text[start:stop] != EXAMPLE_EMAIL:
                yield start, stop
            end = stop
        at = text.find("@", at + 1)


def _local_start(text: str, at: int, earliest: int) -> int:
    """Where the local part before an at sign begins; `at` where there is none."""
    before = text[max(earliest, at - LONGEST_LOCAL_PART - 1) : at]
    local = before[len(before.rstrip(_LOCAL)) :]
    if len(local) > LONGEST_LOCAL_PART or local.endswith("."):
        return at
    # Empty atoms end an address on its left: "see...jane@".
    local = local.rpartition("..")[2].lstrip("._%+-~&'")
    return at - len(local)


def _domain_end(text: str, start: int) -> int:
    """One past the domain that begins at `start`; 0 where there is none."""
    if literal := _ADDRESS_LITERAL.match(text, start):
        return literal.end()
    after = text[start : start + LONGEST_DOMAIN + 1]
    run = after[: len(after) - len(after.lstrip(_DOMAIN))]
    domain, empty_label, _ = run.partition("..")
    # Of "jane@mail.example.org@relay" the last sign is the address's.
    if len(run) > LONGEST_DOMAIN or (not empty_label and after[len(run) :].startswith("@")):
        return 0
    domain = domain.rstrip(".-")
    return start + len(domain) if _is_domain(domain.split(".")) else 0


def _is_domain(labels: Sequence[str]) -> bool:
    """Whether a top-level domain is among the labels; a footnote or a sentence may have run on into the last one."""
    return (
        all(0 < len(label) <= LONGEST_LABEL and label[0] != "-" != label[-1] for label in labels)
        and any(label[:2].isalpha() and len(label) >= 2 for label in labels[1:])
        and not _FILE_ENDING.fullmatch(labels[-1])
    )


_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d{1,2})"
_IPV4 = re.compile(
    # A hyphen joins two addresses to a range, or else anything to a name ("libfoo-1.2.3.4", "1.2.3.4-beta").
    rf"(?<![\w.])(?<!\D-){_OCTET}(?:\.{_OCTET}){{3}}(?!\w|\.\w|-(?!{_OCTET}\.))",
    re.ASCII,
)
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{1,34}(?![\w:]|\.\d)")

_CUE_CHARACTERS = 48
_NUMBERED_THING = re.compile(
    r"""(?: \b(?: v | ver | \w{0,24}versions? | release[sd]? | rev | revisions? | builds? | firmware | kernel
            | upgraded? | update[sd]? | sect | sections? | chap | chapters? | art | articles? | clauses? | paragraphs?
            | para | appendix | annex | tables? | tab | figures? | fig | equations? | eq | items? | rules? | steps?
            | exercises? | lemma | theorem | formulas? | oid )
        (?: \.? [\s(:=\#*`'"|]* | \s(?:to|of|is|no\.?|from|number)\s ) | § \s? | \w[/\\] | [=<>~!]=\s? ) \Z""",
    re.VERBOSE | re.IGNORECASE,
)
"""What stands before the number of a version, of a section or of a product (RFC 9110: ``name/1.2.3.4``)."""
_HEADING = re.compile(r"[ \t]+[^\W\d_a-z]")
LARGEST_OUTLINE_NUMBER = 30


def find_public_ips(text: str) -> Iterator[Span]:
    """Public addresses of IP version 4 and 6: `ipaddress.is_global`, no multicast, and of a host.

    Four numbers with dots are also how versions and sections are numbered. They count as an address unless a word
    before them says otherwise (version, release, section, table, name/…), or they number a heading: at the start of
    a line, small, with a capital letter behind. An address that ends in 0 or in two colons is a network's, not
    anybody's. A version 6 address is one of 2000::/3, all that is assigned.
    """
    for match in _IPV4.finditer(text):
        if _is_host(match[0]) and not _is_numbering(text, match):
            yield match.span()
    for match in _IPV6.finditer(text):
        written = match[0] if match[0].endswith("::") else match[0].rstrip(":")
        if _is_host(written):
            yield match.start(), match.start() + len(written)


def _is_host(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and not written.endswith(("::", ".0"))


def _is_numbering(text: str, match: re.Match[str]) -> bool:
    start = match.start()
    if _NUMBERED_THING.search(text[max(0, start - _CUE_CHARACTERS) : start]):
        return True
    line = text.rfind("\n", max(0, start - _CUE_CHARACTERS), start) + 1
    begins_line = not text[line:start].strip(" \t#*") and (line > 0 or start < _CUE_CHARACTERS)
    small = all(int(part) <= LARGEST_OUTLINE_NUMBER for part in match[0].split("."))
    return begins_line and small and _HEADING.match(text, match.end()) is not None


# A pattern that begins with fixed characters is searched many times faster than one that begins with a choice.
_AFTER_SCHEME = re.compile(r"://[^\s<>\"'/.]")
_SCHEME = re.compile(r"\b(?:https?|ftps?)\Z", re.IGNORECASE)
_LONGEST_SCHEME = 6
"""Of ``https`` and what stands before it."""
_WWW = (re.compile(r"www\.[^\s<>\"'/.]"), re.compile(r"WWW\.[^\s<>\"'/.]"))
_BEFORE_WWW = re.compile(r"[\w.@/\-]")


def count_urls(text: str) -> int:
    """URLs with a scheme of the web (http, https, ftp, ftps), and names that begin with ``www.``."""
    with_scheme = (
        match
        for match in _AFTER_SCHEME.finditer(text)
        if _SCHEME.search(text[max(0, match.start() - _LONGEST_SCHEME) : match.start()])
    )
    without = (
        match
        for pattern in _WWW
        for match in pattern.finditer(text)
        if not match.start() or not _BEFORE_WWW.match(text, match.start() - 1)
    )
    return sum(1 for _ in with_scheme) + sum(1 for _ in without)
