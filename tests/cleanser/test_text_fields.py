"""Which strings of a record are text."""

import pytest

from warehouse.cleanser.readers.reader import Extracted, NoTextError
from warehouse.cleanser.readers.text_fields import Value, is_prose_like, n_levels, text_of_record


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ("A plain string.", "A plain string."),
        ({"url": "https://example.org/", "text": " Kept as it is.\n"}, " Kept as it is.\n"),
        ({"Summary": "In short.", "ARTICLE": "At length."}, "At length."),
        ({"text": "", "content": "The next best key."}, "The next best key."),
        ({"text": ["A first paragraph.", "A second."]}, "A first paragraph.\n\nA second."),
        ({"prompt": "Say hello.", "response": "Hello!"}, "Say hello.\n\nHello!"),
        ({"question": "What is 6 x 7?", "answer": "42", "level": "easy"}, "What is 6 x 7?\n\n42"),
        ({"context": "25 - 759 =", "continuation": " -734"}, "25 - 759 =\n\n-734"),
        ({"Body": "Six sweets.", "Question": "How many?", "Answer": 6.0}, "Six sweets.\n\nHow many?"),
        (
            {"instruction": "Add.", "input": "", "text": "Task: Add. Answer: Done."},
            "Task: Add. Answer: Done.",
        ),
        ({"good": "Cats sleep.", "bad": "Cats sleeps.", "field": "syntax"}, "Cats sleep.\n\nCats sleeps."),
        (
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "How are you?"},
                ]
            },
            "Hi\n\nHow are you?",
        ),
        (
            {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Who is it?"}]},
            "Hi\n\nWho is it?",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi there"}]}]}, "Hi there"),
        (
            {
                "context": "Denver won.",
                "question": "Who?",
                "answers": {"text": ["Denver"], "answer_start": [0]},
            },
            "Denver won.\n\nWho?\n\nDenver",
        ),
        (["c0ffee", "Only this one.", {"deep": [["and this one"]]}], "Only this one.\n\nand this one"),
        ({"文章": "我喜欢吃苹果。", "标签": "新闻"}, "我喜欢吃苹果。"),
        ({"ข้อความ": "สวัสดีชาวโลก"}, "สวัสดีชาวโลก"),
    ],
)
def test_what_counts(record: Value, text: str) -> None:
    assert text_of_record(record).text == text


@pytest.mark.parametrize(
    "record",
    [
        None,
        True,
        "",
        " \n—",
        {},
        {
            "id": "a-1",
            "url": "https://example.org/a?b=c",
            "sha": "9f86d081884c7d65",
            "when": "2024-05-01 12:30",
        },
        {"text": None},
        {"text": "...", "tags": ["news", "sport"]},
        {"input": "0x3ee82930", "output": "0x3efa60fd"},
    ],
)
def test_what_does_not(record: Value) -> None:
    with pytest.raises(NoTextError, match="no_text_field"):
        text_of_record(record)


def test_a_title_is_one_line_and_not_long() -> None:
    assert text_of_record({"title": "A\n  tale ", "text": "Once."}) == Extracted("Once.", "A tale")
    assert text_of_record({"name": "x" * 500, "text": "Once."}).title == "x" * 120
    assert text_of_record({"title": " ", "headline": "News", "text": "Once."}).title == "News"


@pytest.mark.parametrize(
    "text", ["two words", "«Ça va», dit-il.", "x = f (y)", "Maria Martinez", "これは文章です"]
)
def test_prose_has_white_space_between_letters(text: str) -> None:
    assert is_prose_like(text)


@pytest.mark.parametrize(
    "text", ["", "word", "12 March 2014", "( 76.0 - 25.0 )", "a" * 99, "snake_case", "東京都"]
)
def test_names_of_things_and_figures_have_not(text: str) -> None:
    assert not is_prose_like(text)


def test_a_long_string_is_looked_at_once() -> None:
    assert not is_prose_like("a" * 2_000_000)
    assert not is_prose_like("a" + " " * 2_000_000)
    assert not is_prose_like(" 1" * 1_000_000)


def test_levels_are_counted_no_further_than_asked() -> None:
    assert n_levels("a", 9) == 0
    assert n_levels(["a"], 9) == 1
    assert n_levels({"a": [{}]}, 9) == 3
    assert n_levels([[[[]]]], 2) == 3
