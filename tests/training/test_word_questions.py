"""The question generator: samples continue as the whole text would, answers stand in their passage."""


import torch

from training.generator import Generator, Sizes
from training.word_questions import fit, places
from training.worded_samples import worded_samples

SIZES = Sizes(hidden=32, layers=2, heads=4, kv_heads=2, theta=10000.0, eps=1e-5)


def test_samples_of_a_shared_prompt_are_what_reading_it_all_gives():
    torch.manual_seed(0)
    model = Generator(SIZES, 60, 48).eval()
    prompts = [[5, 9, 11, 2, 40], [7, 8]]
    lengths = torch.tensor([len(p) for p in prompts])
    first = torch.tensor([[20, 21, 22], [20, 21, 22]])
    out = model.sample(torch.nn.utils.rnn.pad_sequence([torch.tensor(p) for p in prompts], batch_first=True), lengths, first, 6, 1, 1, 1.0)
    for i, prompt in enumerate(prompts):
        for j in range(3):
            row = [*prompt, int(first[i, j])]
            for _ in range(6):
                with torch.no_grad():
                    row.append(int(model.logits(model(torch.tensor([row]))[0])[0, -1].argmax()))
            expected = row[len(prompt) + 1 :]
            stopped = expected.index(1) if 1 in expected else 6
            assert out[i, j].tolist() == expected[:stopped] + [1] * (6 - stopped)


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
    asked = [{"passage": 0, "spans": [[24, 26]], "question": "The key hangs at what number?"}]
    asked += [{"passage": 2, "spans": [[11, 16]], "question": "Which prime ministers resigned yesterday?"}]
    made = list(worded_samples(passages, asked))
    assert len(made) == 1 and made[0]["worded"] and made[0]["golds"][0]["spans"] == [[24, 26]]
    assert [n["text"] for n in made[0]["negatives"]][0] == texts[1]
