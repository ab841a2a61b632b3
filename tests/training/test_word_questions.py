"""The question generator: samples continue as the whole text would, answers stand in their passage and are what the model would say."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.generator import Drawing, Generator, Sizes, dequantised
from training.smaller_gguf import kept
from training.word_questions import fit, places
from training.worded_samples import is_sure, worded_samples

LLAMA = Sizes(hidden=32, layers=2, heads=4, kv_heads=2, theta=10000.0, eps=1e-5)
QWEN = replace(LLAMA, biased=True, halves=True)
PROMPTS = [[5, 9, 11, 2, 40], [7, 8]]


@pytest.fixture(params=[LLAMA, QWEN], ids=["llama", "qwen2"])
def model(request: pytest.FixtureRequest) -> Generator:
    torch.manual_seed(0)
    return Generator(request.param, 60, 48).eval()


def prompted(model: Generator):
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(p) for p in PROMPTS], batch_first=True)
    return model.prompted(ids, torch.tensor([len(p) for p in PROMPTS]))


def test_samples_of_a_shared_prompt_are_what_reading_it_all_gives(model: Generator):
    first = torch.tensor([[20, 21, 22], [20, 21, 22]])
    out = model.sample(*prompted(model), first, Drawing(most=6, stop=1, apart=30, before=1.0, after=0.5, k=1, finished=1.0))
    for i, prompt in enumerate(PROMPTS):
        for j in range(3):
            row = [*prompt, int(first[i, j])]
            for _ in range(6):
                with torch.no_grad():
                    row.append(int(model.logits(model(torch.tensor([row]))[0])[0, -1].argmax()))
            expected = row[len(prompt) + 1 :]
            stopped = expected.index(1) if 1 in expected else 6
            assert out[i, j].tolist() == expected[:stopped] + [1] * (6 - stopped)


def test_what_follows_the_separator_is_drawn_at_its_own_temperature(model: Generator):
    torch.manual_seed(1)
    how = Drawing(most=5, stop=1, apart=20, before=50.0, after=50.0, k=40, finished=1.0)
    wild, calm = (model.sample(*prompted(model), torch.full((2, 40), 20), replace(how, before=b)) for b in (50.0, 1e-6))
    assert len({tuple(r) for r in wild[0].tolist()}) > 30
    assert len({r[0] for r in calm[0].tolist()}) == 1
    apart = int(calm[0, 0, 0])
    after = model.sample(*prompted(model), torch.full((2, 40), 20), replace(how, before=1e-6, apart=apart))
    assert len({tuple(r) for r in after[0].tolist()}) > 30


def test_likelihood_over_a_shared_prompt_is_that_of_the_whole_text(model: Generator):
    ids = torch.randint(2, 60, (2, 3, 7), generator=torch.Generator().manual_seed(3))
    told, first = model.likelihood(*prompted(model), ids)
    for i, prompt in enumerate(PROMPTS):
        for j in range(3):
            with torch.no_grad():
                logits = model.logits(model(torch.tensor([[*prompt, *ids[i, j].tolist()]]))[0])[0, len(prompt) : -1].log_softmax(-1)
            assert torch.allclose(told[i, j], logits.gather(1, ids[i, j, 1:, None])[:, 0], atol=1e-5)
            assert first[i, j].tolist() == (logits.argmax(1) == ids[i, j, 1:]).tolist()


def half(value: float) -> list[int]:
    return list(np.float16(value).tobytes())


def test_four_bit_blocks_are_scaled_and_shifted_a_sub_block():
    scales, leasts, q = [1, 20, 33, 63, 2, 17, 48, 62], [0, 3, 40, 63, 5, 16, 33, 61], [(7 * i + i // 32) % 16 for i in range(256)]
    six = [s | (scales[j + 4] >> 4 << 6) for j, s in enumerate(scales[:4])]
    six += [m | (leasts[j + 4] >> 4 << 6) for j, m in enumerate(leasts[:4])]
    six += [scales[j] & 15 | (leasts[j] & 15) << 4 for j in range(4, 8)]
    nibbles = [q[64 * g + i] | q[64 * g + 32 + i] << 4 for g in range(4) for i in range(32)]
    block = torch.tensor([*half(0.5), *half(0.25), *six, *nibbles], dtype=torch.uint8)
    expected = [0.5 * scales[i // 32] * q[i] - 0.25 * leasts[i // 32] for i in range(256)]
    assert dequantised(torch.stack([block, block]), "Q4_K").tolist() == [expected, expected]


def test_six_bit_blocks_are_scaled_sixteen_at_a_time():
    scales, q = [(11 * i) % 90 - 45 for i in range(16)], [(13 * i + i // 16) % 64 for i in range(256)]
    low, high = [], []
    for half_block in (q[:128], q[128:]):
        low += [half_block[i] & 15 | (half_block[i + 64] & 15) << 4 for i in range(64)]
        high += [sum((half_block[i + 32 * k] >> 4) << 2 * k for k in range(4)) for i in range(32)]
    block = torch.tensor([*low, *high, *(s % 256 for s in scales), *half(0.5)], dtype=torch.uint8)
    assert dequantised(block[None], "Q6_K").tolist() == [[0.5 * scales[i // 16] * (q[i] - 32) for i in range(256)]]


def test_a_smaller_vocabulary_keeps_what_its_tokens_are_merged_from():
    words = [*"abcd", "ab", "abc", "cd", "abcd", "<|endoftext|>", "[PAD]"]
    numbers, merges = kept(words, ["a b", "ab c", "c d", "ab cd"], Counter({5: 3, 6: 2, 7: 1}), 1)
    assert [words[i] for i in numbers] == [*"abcd", "ab", "abc", "<|endoftext|>"]
    assert merges == ["a b", "ab c"]


def test_answers_the_model_would_not_give_are_not_sure():
    assert is_sure({"spans": [[0, 4]], "chance": -1.2, "first": False})
    assert not is_sure({"spans": [[0, 4]], "chance": -1.5, "first": False})
    assert is_sure({"spans": [[0, 4]], "chance": -2.5, "first": True}) and not is_sure({"spans": [[0, 4]], "chance": -3.5, "first": True})
    assert is_sure({"spans": [[0, 80]], "chance": -2.5, "first": False})


def test_places_are_whole_words_whatever_the_blanks():
    text = "The key hangs\n  here. The keys hang here."
    assert [text[a:b] for a, b in places("key hangs here", text)] == ["key hangs\n  here"]
    assert places("key", text) == [[4, 7]]
    assert places("hang her", text) == [] and places("", text) == []


def test_questions_that_give_the_answer_away_or_are_too_short_do_not_fit():
    assert fit("Where does the key hang?", "here")
    assert not fit("Does the key hang here?", "here") and not fit("Where?", "here")


def test_worded_samples_have_negatives_of_their_file_without_the_answer():
    texts = ["The key hangs at number 14.", "The key hangs nowhere.", "Ferns need shade.", "Key number 14 is lost."]
    passages = [{"file": "f", "source": "s" if i < 2 else f"s{i}", "title": "Keys", "text": t} for i, t in enumerate(texts)]
    asked = [{"passage": 0, "spans": [[24, 26]], "question": "The key hangs at what number?", "chance": -0.1, "first": True}]
    asked += [{"passage": 2, "spans": [[11, 16]], "question": "Which prime ministers resigned yesterday?", "chance": -9.0, "first": False}]
    made = list(worded_samples(passages, asked))
    assert len(made) == 1 and made[0]["worded"] and made[0]["golds"][0]["spans"] == [[24, 26]]
    assert [n["text"] for n in made[0]["negatives"]][0] == texts[1]
