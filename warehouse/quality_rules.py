"""Bounds on the signals of a chunk, as recipes state them.

What lives here: the rules' names and defaults. What does not: applying them, which is the view
``corpus.training_chunk``; the measures, which are ``warehouse/cleanser/signals.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.recipe_values import Count, Ratio, Share


@dataclass(frozen=True)
class QualityRules:
    """Smallest and largest values that a chunk may have; one outside is dropped under the signal's name.

    The defaults are loose, because they meet prose, verse and program text alike; they remove what is no text. A
    bound of None drops nothing. Figures in brackets are those of Gopher (arXiv:2112.11446, appendix A.1.1), FineWeb
    (arXiv:2406.17557, section 3.6) and C4 (JMLR 21(140), section 2.2), whose definitions the signals follow, and of
    CCNet (arXiv:1911.00359).

    Attributes:
        min_words: words of a chunk.
        max_words: words of a chunk.
        min_characters: characters of a chunk (CCNet: 300).
        min_non_symbol_words: words that are not punctuation alone (Gopher: 50).
        max_non_symbol_words: the same (Gopher: 100,000).
        min_mean_word_length: characters of a non-symbol word (Gopher: 3).
        max_mean_word_length: characters (Gopher: 10); base64 and the like run to hundreds, and so may a sentence in a
            script without spaces.
        max_hash_word_ratio: hash signs a word (Gopher: 0.1).
        max_ellipsis_word_ratio: ellipses a word (Gopher: 0.1).
        min_alphabetic_word_share: words with a letter (Gopher: 0.8).
        min_stop_word_kinds: of eight English stop words (Gopher: 2).
        max_bullet_line_share: lines that begin with a bullet (Gopher: 0.9).
        max_ellipsis_line_share: lines that end with an ellipsis (Gopher: 0.3).
        max_duplicate_line_share: lines that repeat an earlier one (Gopher: 0.3).
        max_duplicate_line_character_share: characters in lines that repeat an earlier one (Gopher: 0.2).
        max_duplicate_paragraph_share: paragraphs that repeat an earlier one (Gopher: 0.3).
        max_duplicate_paragraph_character_share: characters in such paragraphs (Gopher: 0.2).
        max_top_2gram_character_share: characters in the most frequent 2-gram of words (Gopher: 0.2).
        max_top_3gram_character_share: characters in the most frequent 3-gram of words (Gopher: 0.18).
        max_top_4gram_character_share: characters in the most frequent 4-gram of words (Gopher: 0.16).
        max_duplicate_5gram_character_share: characters in repeated 5-grams of words (Gopher: 0.15).
        max_duplicate_6gram_character_share: characters in repeated 6-grams of words (Gopher: 0.14).
        max_duplicate_7gram_character_share: characters in repeated 7-grams of words (Gopher: 0.13).
        max_duplicate_8gram_character_share: characters in repeated 8-grams of words (Gopher: 0.12).
        max_duplicate_9gram_character_share: characters in repeated 9-grams of words (Gopher: 0.11).
        max_duplicate_10gram_character_share: characters in repeated 10-grams of words (Gopher: 0.1).
        min_terminal_punctuation_line_share: lines that end in terminal punctuation (FineWeb: 0.12).
        max_short_line_share: lines of at most 30 characters (FineWeb: 0.67).
        max_fineweb_duplicate_line_character_share: characters in non-blank lines that repeat an earlier
            one (FineWeb: 0.01).
        max_newline_word_ratio: newlines a word (FineWeb: 0.3).
        min_lines: lines that are not blank.
        min_c4_sentences: sentences in the lines that C4 keeps (C4: 5).
        min_c4_kept_character_share: characters in the lines that C4 keeps.
        max_c4_long_word_lines: lines with a word of more than 1,000 characters.
        max_c4_unterminated_lines: lines without terminal punctuation.
        max_c4_few_word_lines: lines of fewer than 3 words.
        max_c4_javascript_lines: lines with the word javascript.
        max_c4_policy_lines: lines of cookie and privacy notices.
        drop_lorem_ipsum: whether lorem ipsum drops a chunk (C4: true).
        drop_curly_bracket: whether an opening curly bracket does (C4: true; never for program text).
        min_letter_share: letters among the characters; in Hindi or Tamil half of them are marks.
        max_digit_share: digits among the characters.
        max_symbol_share: symbols among the characters.
        max_punctuation_share: punctuation among the characters.
        max_whitespace_share: white space among the characters.
        max_uppercase_share: upper-case letters among the letters.
        min_script_share: letters of the most frequent script among the letters.
        max_emails: e-mail addresses.
        max_phones: phone numbers.
        max_public_ips: public IP addresses.
        max_cards: card numbers.
        max_ibans: account numbers (IBAN).
        max_urls: URLs.
        max_replaced_share: characters that stand for undecodable bytes.
    """

    min_words: Count = 5
    max_words: Count = 100_000
    min_characters: Count = 0
    min_non_symbol_words: Count | None = None
    max_non_symbol_words: Count | None = None
    min_mean_word_length: Ratio | None = None
    max_mean_word_length: Ratio = 200.0
    max_hash_word_ratio: Ratio = 1.0
    max_ellipsis_word_ratio: Ratio = 1.0
    min_alphabetic_word_share: Share | None = None
    min_stop_word_kinds: Count = 0
    max_bullet_line_share: Share | None = None
    max_ellipsis_line_share: Share | None = None
    max_duplicate_line_share: Share | None = None
    max_duplicate_line_character_share: Share = 0.6
    max_duplicate_paragraph_share: Share | None = None
    max_duplicate_paragraph_character_share: Share | None = None
    max_top_2gram_character_share: Share | None = None
    max_top_3gram_character_share: Share | None = None
    max_top_4gram_character_share: Share | None = None
    max_duplicate_5gram_character_share: Share | None = None
    max_duplicate_6gram_character_share: Share | None = None
    max_duplicate_7gram_character_share: Share | None = None
    max_duplicate_8gram_character_share: Share | None = None
    max_duplicate_9gram_character_share: Share | None = None
    max_duplicate_10gram_character_share: Share | None = None
    min_terminal_punctuation_line_share: Share | None = None
    max_short_line_share: Share | None = None
    max_fineweb_duplicate_line_character_share: Share | None = None
    max_newline_word_ratio: Ratio | None = None
    min_lines: Count | None = None
    min_c4_sentences: Count | None = None
    min_c4_kept_character_share: Share | None = None
    max_c4_long_word_lines: Count | None = None
    max_c4_unterminated_lines: Count | None = None
    max_c4_few_word_lines: Count | None = None
    max_c4_javascript_lines: Count | None = None
    max_c4_policy_lines: Count | None = None
    drop_lorem_ipsum: bool = False
    drop_curly_bracket: bool = False
    min_letter_share: Share = 0.3
    max_digit_share: Share = 0.4
    max_symbol_share: Share | None = None
    max_punctuation_share: Share | None = None
    max_whitespace_share: Share | None = None
    max_uppercase_share: Share | None = None
    min_script_share: Share | None = None
    max_emails: Count | None = None
    max_phones: Count | None = None
    max_public_ips: Count | None = None
    max_cards: Count | None = None
    max_ibans: Count | None = None
    max_urls: Count | None = None
    max_replaced_share: Share = 0.01
