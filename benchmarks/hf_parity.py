"""An exported model against ``transformers``: logits, greedy continuations and token ids, on real text.

    python benchmarks/hf_parity.py my-model --text book.txt
    python benchmarks/hf_parity.py --presets 1mx 8mx 112m --text book.txt --prompts 5

Each model is exported with ``fakesmrt export``'s function and opened by AutoModelForCausalLM and AutoTokenizer without
a network. Prompts are cut from the text at even distances, from 1 to 48 words long, and of those the first tokens that
leave room in the context; the ids of their continuations must be those of ``fakesmrt generate --temperature 0``. Logits
(float32) are compared over windows of the text and over random ids, of several lengths up to the context. A preset is
compared with random weights, in which every tensor is drawn; the text is then read with a byte tokenizer.

Prints one JSON line; exit status 1 if anything differs or a logit differs by more than 1e-4.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# transformers reads it when it is imported.
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from torch import Tensor

from fakesmrt_models.architecture.presets import preset
from fakesmrt_models.architecture.transformer import Transformer, initialised
from fakesmrt_models.export.huggingface import export_huggingface
from fakesmrt_models.generation.cache import CachedModel

# `generate` gives text alone, and different ids may spell the same text.
from fakesmrt_models.generation.sampling import Sampling, _continuation
from fakesmrt_models.training.checkpoint import load_model, save_model
from warehouse.tokens.tokenizer import DOCUMENT_MARKER_ID, Tokenizer, train_tokenizer

TOLERANCE = 1e-4
N_WINDOWS = 8


@dataclass(frozen=True)
class Parity:
    """How a model and its export compare.

    Attributes:
        largest_difference: of any two logits, in absolute value.
        largest_logit: in absolute value, for scale.
        n_logits: compared.
        n_prompts: continued.
        n_identical: continuations with the same token ids.
        n_tokens: of all continuations.
        n_same_ids: of the prompts, those with the same token ids.
    """

    model: str
    n_parameters: int
    largest_difference: float
    largest_logit: float
    n_logits: int
    n_prompts: int
    n_identical: int
    n_tokens: int
    n_same_ids: int

    @property
    def holds(self) -> bool:
        """Whether the export is the same model."""
        same = self.n_identical == self.n_same_ids == self.n_prompts
        return same and self.largest_difference <= TOLERANCE


def prompts_of(text: str, n_prompts: int) -> list[str]:
    """Pieces of the text at even distances, of 1, 2, … 48 words and again from 1."""
    words = text.split(" ")
    starts = [number * (len(words) - 48) // n_prompts for number in range(n_prompts)]
    return [" ".join(words[start : start + 1 + number % 48]) for number, start in enumerate(starts)]


def windows(tokens: Tensor, context: int, vocab_size: int) -> list[Tensor]:
    """Batches of one and two sequences of several lengths, of the text and of random ids."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for number in range(N_WINDOWS):
        length = max(1, context * (number + 1) // N_WINDOWS)
        start = number * (len(tokens) - length) // N_WINDOWS
        batches.append(tokens[None, start : start + length])
        batches.append(torch.randint(0, vocab_size, (2, length), generator=generator))
    return batches


def compared(folder: Path, name: str, text: str, n_prompts: int, n_new: int, work: Path) -> Parity:
    """Export the model in `folder` and compare."""
    theirs_folder = export_huggingface(folder, work / "exported").folder
    loaded = load_model(folder)
    ours, tokenizer = loaded.model, Tokenizer.from_file(loaded.tokenizer_file)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(theirs_folder)
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(theirs_folder)
    tokens = torch.tensor([DOCUMENT_MARKER_ID, *tokenizer.encode(text).tolist()])
    difference, largest, n_logits = 0.0, 0.0, 0
    with torch.inference_mode():
        for batch in windows(tokens, ours.config.context_length, ours.config.vocab_size):
            expected, found = ours(batch), theirs(batch).logits
            difference = max(difference, float((expected - found).abs().max()))
            largest, n_logits = max(largest, float(expected.abs().max())), n_logits + expected.numel()
    identical = same_ids = n_tokens = 0
    n_new = min(n_new, ours.config.context_length // 2)
    longest = ours.config.context_length - n_new
    for prompt in prompts_of(text, n_prompts):
        encoded = their_tokenizer(prompt, return_tensors="pt")
        ids = [DOCUMENT_MARKER_ID, *tokenizer.encode(prompt).tolist()]
        same_ids += encoded["input_ids"][0].tolist() == ids
        given = {name: rows[:, :longest] for name, rows in encoded.items()}
        output = theirs.generate(**given, max_new_tokens=n_new, do_sample=False)[0].tolist()
        identical += output == ids[:longest] + continued(ours, tokenizer, ids[:longest], n_new)
        n_tokens += len(output) - len(ids[:longest])
    n_parameters = sum(parameter.numel() for parameter in ours.parameters())
    return Parity(name, n_parameters, difference, largest, n_logits, n_prompts, identical, n_tokens, same_ids)


@torch.inference_mode()
def continued(model: Transformer, tokenizer: Tokenizer, ids: list[int], n_new: int) -> list[int]:
    """Ids that ``fakesmrt generate --temperature 0`` appends to `ids`."""
    greedy = Sampling(temperature=0)
    return _continuation([CachedModel(model)], torch.ones(1), ids, n_new, greedy, tokenizer.vocab_size)


def with_random_weights(name: str) -> Transformer:
    """A preset of which every tensor is drawn, matrices to keep the scale of what they multiply."""
    model = initialised(preset(name), 0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, parameter.shape[-1] ** -0.5, generator=generator)
            else:
                parameter.normal_(1.0, 0.2, generator=generator)
    return model


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, help="model folders or folders of trainings")
    parser.add_argument("--presets", nargs="*", default=[], help="presets to compare with random weights")
    parser.add_argument("--text", type=Path, required=True, help="UTF-8 text that no model was trained on")
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--new-tokens", type=int, default=64)
    return parser.parse_args()


def main() -> int:
    options = arguments()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    text = options.text.read_text()
    results = []
    for model in options.models:
        with tempfile.TemporaryDirectory() as work:
            results.append(compared(model, str(model), text, options.prompts, options.new_tokens, Path(work)))
    for name in options.presets:
        with tempfile.TemporaryDirectory() as work:
            folder, tokenizer_file = Path(work) / "model", Path(work) / "tokenizer.json"
            tokenizer_file.write_bytes(train_tokenizer([], 257))
            save_model(folder, with_random_weights(name), preset(name), {"preset": name}, tokenizer_file)
            results.append(compared(folder, name, text, options.prompts, options.new_tokens, Path(work)))
    summary: dict[str, Any] = {
        "benchmark": "hf_parity",
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "tolerance": TOLERANCE,
        "models": [asdict(result) for result in results],
        "holds": all(result.holds for result in results),
    }
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0 if summary["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
