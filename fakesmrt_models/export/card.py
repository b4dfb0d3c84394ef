"""The README.md of an exported model: what it is, where it comes from, how to open it.

What lives here: the card's text, from the model's configuration and manifest. What does not: licences, which the
Training Database knows and the caller passes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fakesmrt_models.architecture.config import ModelConfig, n_parameters

LISTED_LICENCES = frozenset(
    {
        "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC0-1.0",
        "ISC", "MIT", "MPL-2.0", "Unlicense",
    }
)  # fmt: skip
"""SPDX names that Hugging Face's cards know, there in lower case; each other one is ``other`` with a name."""

FACTS = {
    "preset": "preset",
    "n_steps": "training steps",
    "n_tokens": "training tokens",
    "validation_bits_per_byte": "bits per byte on the validation split",
    "train_bits_per_byte": "bits per byte in training",
    "seed": "seed",
    "bootstrap_seed": "seed of the bootstrap replicate",
    "weights_sha256": "SHA-256 of the weights that were exported",
    "tokenizer_sha256": "SHA-256 of their tokenizer",
    "parent": "SHA-256 of the weights that it was branched from",
    "request": "fingerprint of the training request",
}
"""Keys of a manifest that the card shows, and what it calls them."""


@dataclass(frozen=True)
class TrainingLicence:
    """What a model was trained on under one licence; tokens with repetitions."""

    licence: str
    n_files: int
    n_tokens: int


def model_card(
    config: ModelConfig,
    manifest: Mapping[str, Any],
    training_licences: Sequence[TrainingLicence],
    licence: str | None,
) -> str:
    """The card as Markdown.

    Args:
        config: shape of the model.
        manifest: of its folder.
        training_licences: of the text that it was trained on; none where nobody knows.
        licence: of the model itself, as SPDX writes it; None states none.
    """
    sections = {
        "Where it comes from": _facts(manifest),
        "Models whose weights were averaged": _members(manifest),
        "Licences of what it was trained on": _licences(training_licences),
        "Training data": _data(manifest),
    }
    parts = [
        front_matter(licence),
        f"# {manifest.get('preset', 'A model')}, exported by fakesmrt",
        f"A language model of {n_parameters(config):,} trained parameters. The file holds the constant gains of its "
        "norms beside them, because Qwen3 has a gain in every norm.",
        _usage(config),
        *(f"## {title}\n\n{text}" for title, text in sections.items() if text),
    ]
    return "\n\n".join(parts) + "\n"


def front_matter(licence: str | None) -> str:
    """The YAML header that Hugging Face's Hub reads."""
    lines = ["library_name: transformers", "pipeline_tag: text-generation", "tags:", "- fakesmrt"]
    if licence in LISTED_LICENCES:
        lines.append(f"license: {str(licence).lower()}")
    elif licence is not None:
        lines += ["license: other", f'license_name: "{licence}"']
    return "\n".join(["---", *lines, "---"])


def _usage(config: ModelConfig) -> str:
    return (
        "```python\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER")\n'
        'model = AutoModelForCausalLM.from_pretrained("FOLDER")\n'
        'prompt = tokenizer("Once upon a time", return_tensors="pt")\n'
        "print(tokenizer.decode(model.generate(**prompt, max_new_tokens=50)[0], skip_special_tokens=True))\n"
        "```\n\n"
        "The tokenizer puts the document marker, with which every training text began, before a text; "
        "`add_special_tokens=False` leaves it out. The model was trained on sequences of up to "
        f"{config.context_length:,} tokens: prompt and continuation together should not be longer. "
        "It follows no instructions."
    )


def _facts(manifest: Mapping[str, Any]) -> str:
    rows = [
        f"| {shown} | {_shown(manifest[key])} |"
        for key, shown in FACTS.items()
        if manifest.get(key) is not None
    ]
    return "\n".join(["| | |", "|---|---|", *rows])


def _members(manifest: Mapping[str, Any]) -> str:
    """What a mix in weights was made of; nothing for another model."""
    rows = [
        f"| {member['weights_sha256']} | {member['weight']:.4f} |" for member in manifest.get("members", [])
    ]
    if not rows:
        return ""
    return "\n".join(["| SHA-256 of the weights | share |", "|---|--:|", *rows])


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _licences(training_licences: Sequence[TrainingLicence]) -> str:
    if not training_licences:
        return (
            "Not known where this was exported: no Training Database there knows these weights. "
            "Ask who trained the model before you pass it on."
        )
    rows = [f"| {row.licence} | {row.n_files:,} | {row.n_tokens:,} |" for row in training_licences]
    return "\n".join(["| licence | files | tokens (with repetitions) |", "|---|--:|--:|", *rows])


def _data(manifest: Mapping[str, Any]) -> str:
    shards = manifest.get("data") or []
    if not shards:
        return "Its manifest names no shards: it was made of other models, or elsewhere."
    rows = [f"| {shard['shard_id']} | {shard['sha256']} |" for shard in shards]
    return "\n".join(["| shard | SHA-256 of its tokens |", "|---|---|", *rows])
