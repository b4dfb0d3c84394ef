"""Under which names records keep text: keys of JSON objects, columns of tables."""

TEXT_KEYS = (
    "text", "raw_text", "full_text", "plain_text", "clean_text", "maintext",
    "content", "raw_content", "page_content", "body", "document", "article", "story", "passage", "paragraph",
    "abstract", "review", "poem", "lyrics", "transcript", "selftext", "post", "comment", "tweet", "sentence",
)  # fmt: skip
"""Keys, in lower case, under which public collections keep the text of a record, best first: C4, OSCAR, the Pile and
Dolma ``text``; The Stack ``content``; RedPajama ``raw_content``; LangChain ``page_content``; XSum ``document``;
CNN/DailyMail ``article``; CC-News ``maintext`` or ``plain_text``; Pushshift ``body`` and ``selftext``; S2ORC
``abstract``."""

TASK_KEYS = frozenset(
    {
        "instruction", "question", "query", "prompt", "problem", "input", "context", "premise", "hypothesis",
        "response", "answer", "answers", "completion", "continuation", "output", "solution", "rationale",
        "explanation", "target", "chosen", "rejected", "messages", "conversation", "conversations", "dialog",
        "dialogue",
    }
)  # fmt: skip
"""Keys, in lower case, of the parts of a task or conversation; its text is all of them in their order (Alpaca, Dolly,
ShareGPT, GSM8K, SQuAD)."""

TITLE_KEYS = ("title", "headline", "name")


def is_known_key(name: str) -> bool:
    """Whether a column or key of this name tells what it holds."""
    name = name.strip().lower()
    return name in TEXT_KEYS or name in TASK_KEYS or name in TITLE_KEYS
