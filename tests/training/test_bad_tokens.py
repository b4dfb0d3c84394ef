"""Token files that cannot be trained on: each is refused, and the refusal says why."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakesmrt_models.training.data import Cursor
from fakesmrt_models.training.request import TrainingRequest
from fakesmrt_models.training.token_files import training_stream
from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration
from warehouse.tokens.tokenizer import train_tokenizer

MakeRequest = Callable[..., TrainingRequest]
WriteTokens = Callable[..., Path]


@pytest.fixture
def copied(tokens: Path, tmp_path: Path) -> Path:
    """A copy of the sound token folder, to be spoilt."""
    return shutil.copytree(tokens, tmp_path / "tokens")


def restated(manifest: Path, **changes: object) -> None:
    """Let a manifest state something else."""
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))


def hashes(manifest: Path) -> dict[str, str]:
    """What a manifest must state for the files beside it to count as undamaged."""
    return {
        key: hashlib.sha256(manifest.with_suffix(suffix).read_bytes()).hexdigest()
        for key, suffix in (("sha256", ".bin"), ("index_sha256", ".index.npy"))
    }


def truncated(folder: Path) -> None:
    data = (folder / "train-0.bin").read_bytes()
    (folder / "train-0.bin").write_bytes(data[: len(data) // 2])


def emptied(folder: Path) -> None:
    (folder / "train-0.bin").write_bytes(b"")


def emptied_and_said_so(folder: Path) -> None:
    emptied(folder)
    restated(folder / "train-0.json", n_tokens=0, n_chunks=0, n_bytes=0)


def damaged(folder: Path) -> None:
    data = bytearray((folder / "train-1.bin").read_bytes())
    data[100] ^= 1
    (folder / "train-1.bin").write_bytes(data)


def of_another_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_bytes(train_tokenizer(["some other words, other words"], 280))


def of_another_vocabulary(folder: Path) -> None:
    restated(folder / "train-1.json", vocab_size=300)


def beyond_the_vocabulary(folder: Path) -> None:
    """Undamaged by their hashes, and yet no row of the embedding belongs to a token."""
    tokens = np.fromfile(folder / "train-0.bin", "<u2")
    tokens[5] = 60_000
    tokens.tofile(folder / "train-0.bin")
    restated(folder / "train-0.json", **hashes(folder / "train-0.json"))


def index_out_of_range(folder: Path) -> None:
    index = np.load(folder / "train-0.index.npy")
    index["token_end"][-1] += 1
    np.save(folder / "train-0.index.npy", index)
    restated(folder / "train-0.json", **hashes(folder / "train-0.json"))


def index_running_backwards(folder: Path) -> None:
    index = np.load(folder / "train-0.index.npy")
    index["token_end"][1] = index["token_start"][3] = 0
    index["token_end"][2] = 0
    index["token_start"][2] = 0
    np.save(folder / "train-0.index.npy", index)
    restated(folder / "train-0.json", **hashes(folder / "train-0.json"))


def cut_elsewhere(folder: Path) -> None:
    """An index that fits by its numbers, but of other tokens: no chunk begins where it says."""
    index = np.load(folder / "train-0.index.npy")
    index["token_end"][0] += 1
    index["token_start"][1] += 1
    np.save(folder / "train-0.index.npy", index)
    restated(folder / "train-0.json", **hashes(folder / "train-0.json"))


def held_out_text_damaged(folder: Path) -> None:
    data = bytearray((folder / "validation-0.bin").read_bytes())
    data[100] ^= 1
    (folder / "validation-0.bin").write_bytes(data)


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def without_shards(folder: Path) -> None:
    for path in folder.glob("train-*"):
        path.unlink()


def manifest_of_something_else(folder: Path) -> None:
    restated(folder / "train-0.json", n_tokens="many")


BAD = {
    truncated: r"train-0\.bin has \d+ bytes where its manifest states \d+",
    emptied: r"train-0\.bin has 0 bytes where",
    emptied_and_said_so: r"train-0\.json is empty",
    damaged: r"train-1\.bin does not have the hash",
    of_another_tokenizer: r"was made with tokenizer \w+, not with \w+",
    of_another_vocabulary: r"train-1\.(bin|json) (holds a token outside its|states a) vocabulary of 300",
    beyond_the_vocabulary: r"train-0\.bin holds a token outside its vocabulary of 512",
    index_out_of_range: r"train-0\.index\.npy does not describe the tokens beside it",
    index_running_backwards: r"train-0\.index\.npy does not describe the tokens beside it",
    cut_elsewhere: r"train-0\.bin has chunks that no document marker begins",
    held_out_text_damaged: r"validation-0\.bin does not have the hash",
    without_tokenizer: r"has no tokenizer\.json",
    without_shards: r"no shard of the split train",
    manifest_of_something_else: r"train-0\.json is not the manifest of a shard",
}


@pytest.mark.parametrize("spoil", list(BAD), ids=lambda spoil: spoil.__name__)
def test_bad_token_files_are_named(
    spoil: Callable[[Path], None], copied: Path, request_of: MakeRequest
) -> None:
    request = request_of(tokens=copied)
    training_stream(request)
    spoil(copied)
    with pytest.raises((CorruptArtefact, InputUnreadable), match=BAD[spoil]) as refused:
        training_stream(request)
    assert len(str(refused.value).splitlines()) == 1


def test_a_vocabulary_that_is_not_the_tokenizers_is_refused(copied: Path, request_of: MakeRequest) -> None:
    for shard in ("train-0", "train-1"):
        restated(copied / f"{shard}.json", vocab_size=600)
    with pytest.raises(CorruptArtefact, match=r"states a vocabulary of 600, and its tokenizer has 512 ids"):
        training_stream(request_of(tokens=copied))


def test_more_tokens_than_the_model_knows_are_refused(
    write_tokens: WriteTokens, documents: list[str], tmp_path: Path, request_of: MakeRequest
) -> None:
    large = write_tokens(tmp_path / "tokens", documents, vocab_size=600)
    with pytest.raises(InvalidConfiguration, match="a vocabulary of 600, and the model one of 512"):
        training_stream(request_of(tokens=large))


def test_text_shorter_than_a_sequence_is_refused(
    write_tokens: WriteTokens, tmp_path: Path, request_of: MakeRequest
) -> None:
    """Exactly a sequence and its last target is enough."""
    request = request_of(tokens=write_tokens(tmp_path / "tokens", ["A word or two. " * 6] * 3))
    n_tokens = training_stream(replace(request, sequence_length=8, batch_tokens=64)).n_tokens
    assert 8 < n_tokens < 65
    fitting = replace(request, sequence_length=n_tokens - 1, batch_tokens=n_tokens - 1)
    assert training_stream(fitting).n_tokens == n_tokens
    with pytest.raises(
        InputUnreadable, match=rf"has {n_tokens} tokens, too few for a sequence of {n_tokens}"
    ):
        training_stream(replace(request, sequence_length=n_tokens, batch_tokens=n_tokens))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_happens_to_a_file_no_other_tokens_are_read(
    data: st.DataObject, tokens: Path, tmp_path: Path, request_of: MakeRequest
) -> None:
    """Cut, flipped, grown, exchanged or gone: it is refused in one line, or makes no difference."""
    request = request_of()
    names = sorted(path.name for path in tokens.iterdir())
    path = tokens / data.draw(st.sampled_from(names), label="file")
    whole = path.read_bytes()
    sound = training_stream(request)
    _spoil(data, path, whole, [tokens / name for name in names])
    try:
        spoilt = training_stream(request)
    except FakesmrtError as error:
        refusal: str | None = str(error)
    else:
        refusal = None
    finally:
        path.write_bytes(whole)
    if refusal is not None:
        assert len(refusal.splitlines()) == 1
        return
    assert np.array_equal(spoilt.read(Cursor(), 500)[0], sound.read(Cursor(), 500)[0])
    assert (spoilt.n_tokens, spoilt.n_bytes) == (sound.n_tokens, sound.n_bytes)


def _spoil(data: st.DataObject, path: Path, whole: bytes, others: list[Path]) -> None:
    place = data.draw(st.integers(0, len(whole) - 1), label="place")
    how = data.draw(st.sampled_from(["cut", "flip", "grow", "exchange", "remove"]), label="how")
    if how == "cut":
        path.write_bytes(whole[:place])
    elif how == "flip":
        value = whole[place] ^ data.draw(st.integers(1, 255), label="bits")
        path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
    elif how == "grow":
        path.write_bytes(whole[:place] + data.draw(st.binary(min_size=1, max_size=8)) + whole[place:])
    elif how == "exchange":
        path.write_bytes(data.draw(st.sampled_from(others)).read_bytes())
    elif path.suffix != ".json" or path.name == "tokenizer.json":
        # A shard without its manifest does not exist yet: that is how one is written.
        path.unlink()
