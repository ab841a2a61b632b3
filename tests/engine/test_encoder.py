from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.model.attention import LayerMemory
from engine.model.interface import Candidates, Context, Evidence
from engine.model.pointer import READINGS
from engine.model.loading import load_memory_model
from tiny import save_model

TEXTS = ["The fern needs shade. " * n for n in (1, 3, 7, 2, 12, 20)]


@pytest.fixture(scope="module")
def pointer(model_folder):
    return load_memory_model(model_folder, "cpu")


@pytest.fixture(scope="module")
def encoder(pointer):
    return pointer.model


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def close(a, b) -> bool:
    return torch.allclose(a, b, atol=1e-5)


def random_memory(*chunks: int, seed: int = 0) -> list[list[tuple[torch.Tensor, torch.Tensor]]]:
    generator = torch.Generator().manual_seed(seed)
    return [[tuple(torch.randn(2, n, 2, 8, generator=generator)) for n in (first, 2)] for first in chunks]


def states_of(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(len(lengths), max(lengths), 32, generator=torch.Generator().manual_seed(1))
    return x, torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]


def test_padding_does_not_change_states(encoder):
    ids = torch.randint(4, 50, (1, 9), generator=torch.Generator().manual_seed(2))
    alone = encoder.encode_backbone(ids, torch.ones(1, 9, dtype=torch.bool))
    padded = torch.full((2, 15), 7)
    padded[0, :9] = ids
    mask = torch.arange(15)[None] < torch.tensor([[9], [15]])
    assert close(encoder.encode_backbone(padded, mask)[0, :9], alone[0])
    memory = [LayerMemory.gather(random_memory(3))]
    x, mask = states_of([6])
    longer = torch.cat([x, torch.full((1, 5, 32), 3.0)], 1)
    longer_mask = torch.cat([mask, torch.zeros(1, 5, dtype=torch.bool)], 1)
    assert close(encoder.active(longer, longer_mask, memory)[:, :6], encoder.active(x, mask, memory))


def test_a_document_encodes_the_same_in_any_batch(pointer):
    pairs = [("notes.txt > Plants", text) for text in TEXTS]
    together = pointer.encode_documents(pairs)
    for pair, states in zip(pairs, together, strict=True):
        [alone] = pointer.encode_documents([pair])
        assert alone.n_tokens == states.n_tokens
        assert close(alone.router_keys, states.router_keys)
        assert close(alone.keys, states.keys) and close(alone.values, states.values)


def test_a_document_has_a_state_for_every_chunk(pointer):
    rows = pointer.inputs.documents([("t", text) for text in TEXTS])
    for row, states in zip(rows, pointer.encode_documents([("t", text) for text in TEXTS]), strict=True):
        chunks = -(-len(row) // 16)
        assert states.n_tokens == len(row)
        assert states.router_keys.shape == (1, chunks, 1, 32)
        assert states.keys.shape == states.values.shape == (1, chunks, 2, 8)
        assert close(states.router_keys.norm(dim=-1), torch.ones(1, chunks, 1))


def test_one_batch_or_several(pointer):
    pairs = [("t", text) for text in TEXTS]
    whole = pointer.encode_documents(pairs)
    batches = pointer._batches([5, 200, 5, 100, 5])
    assert sorted(i for batch in batches for i in batch) == [0, 1, 2, 3, 4]
    pointer.batch_tokens, kept = 30, pointer.batch_tokens
    try:
        small = pointer.encode_documents(pairs)
    finally:
        pointer.batch_tokens = kept
    assert all(close(a.keys, b.keys) for a, b in zip(whole, small, strict=True))


def test_the_memory_of_other_rows_does_not_leak(encoder):
    x, mask = states_of([6, 4])
    ours, theirs, others = *random_memory(2, 5), random_memory(9, seed=8)[0]
    both = encoder.active(x, mask, [LayerMemory.gather([ours, theirs])])
    changed = encoder.active(x, mask, [LayerMemory.gather([ours, others])])
    assert close(both[0], changed[0]) and not close(both[1, :4], changed[1, :4])
    for i, documents in enumerate((ours, theirs)):
        n = int(mask[i].sum())
        alone = encoder.active(x[i : i + 1, :n], mask[i : i + 1, :n], [LayerMemory.gather([documents])])
        assert close(alone[0], both[i, :n])


def test_the_order_of_memory_is_free_and_memory_counts(encoder):
    x, mask = states_of([5])
    [documents] = random_memory(4)
    read = encoder.active(x, mask, [LayerMemory.gather([documents])])
    assert close(encoder.active(x, mask, [LayerMemory.gather([documents[::-1]])]), read)
    assert not close(encoder.active(x, mask, [None]), read)


def test_active_positions_start_after_the_memory(encoder):
    x, mask = states_of([5])
    memory = LayerMemory.gather(random_memory(4))
    top_k = encoder.config.router.top_k_docs

    def by_hand(start: int) -> torch.Tensor:
        positions = torch.arange(start, start + 5)[None]
        out, _, _ = encoder.layers["2"](x, positions, causal=False, mask=mask, memory=memory)
        return encoder.norm(out)

    assert close(encoder.active(x, mask, [memory]), by_hand(top_k))
    assert not close(by_hand(0), by_hand(top_k))


def test_identity_projections_route_as_the_backbone_compares(model_folder):
    pointer = load_memory_model(model_folder, "cpu")
    layer = pointer.model.layers["2"]
    for projection in (layer.self_attn.router_q_proj, layer.self_attn.router_k_proj):
        projection[0].weight.data = torch.eye(32)

    def seen(ids: list[int], segments: list[int]) -> torch.Tensor:
        rows = (torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.bool), torch.tensor([segments]))
        return layer.input_layernorm(pointer.model.encode_backbone(*rows))[0]

    pairs = [("a.txt", TEXTS[2]), ("b.txt", "Mina Okafor works in Lisbon.")]
    evidence = (Evidence(9, "old", "The key hangs."), Evidence(8, "new", "High water."))
    context = Context("Where does Mina work?", evidence)
    row = pointer.inputs.active(context.question, [(e.title, e.text) for e in context.evidence])
    query = torch.nn.functional.normalize(seen(row.ids, row.segments)[torch.tensor(row.routing)], dim=-1)
    expected = []
    for ids in pointer.inputs.documents(pairs):
        chunks = [chunk.mean(0) for chunk in seen(ids, [0] * len(ids)).split(16)]
        expected.append((query @ torch.nn.functional.normalize(torch.stack(chunks), dim=-1).T).max())

    class Memory:
        def scores(self, layer, query, mask):
            keys = [states.router_keys[layer] for states in pointer.encode_documents(pairs)]
            every = [torch.einsum("qthd,chd->qtc", query, k).masked_fill(~mask[..., None], -9) for k in keys]
            return torch.stack([scores.amax((1, 2)) for scores in every], 1)

    assert close(pointer.route([context], Memory())[0], torch.stack(expected))


def contexts(pointer) -> tuple[list[Context], list[Candidates]]:
    made = [
        Context("Where does Mina work?", (Evidence(1, "notes.txt", "Mina Okafor works in Lisbon."),)),
        Context("What needs shade?", (Evidence(2, "a", "Moss."), Evidence(3, "plants", "The fern needs shade. " * 6))),
    ]
    kv = [(s.keys, s.values) for s in pointer.encode_documents([("t", text) for text in TEXTS])]
    return made, [Candidates([1, 2], [0.5, 0.1], kv[:2]), Candidates([3, 4, 5], [0.3, 0.2, 0.1], kv[2:5])]


def test_contexts_are_judged_the_same_in_any_batch(pointer):
    made, candidates = contexts(pointer)
    chosen, read = pointer.choose(made, candidates), pointer.answer(made, candidates)
    for i in range(2):
        fresh = Context(made[i].question, made[i].evidence)
        assert pointer.choose([fresh], [candidates[i]])[0] == pytest.approx(chosen[i], abs=1e-4)
        [answered] = pointer.answer([fresh], [candidates[i]])
        assert answered.enough == pytest.approx(read[i].enough, abs=1e-5)
        assert [replace(r, score=0) for r in answered.readings] == [replace(r, score=0) for r in read[i].readings]


def test_a_context_without_candidates_beside_one_with(pointer):
    made, candidates = contexts(pointer)
    together = pointer.choose(made, [candidates[0], Candidates([], [], [])])
    [alone] = pointer.choose([Context(made[0].question, made[0].evidence)], [candidates[0]])
    assert together[0] == pytest.approx(alone, abs=1e-4) and together[1] == []


def test_readings_are_characters_of_one_piece(pointer):
    made, candidates = contexts(pointer)
    for context, answered in zip(made, pointer.answer(made, candidates), strict=True):
        spans = [r for r in answered.readings if r.kind == "span"]
        assert 1 <= len(spans) <= READINGS
        assert [r.score for r in spans] == sorted((r.score for r in spans), reverse=True)
        for r in spans:
            text = context.evidence[r.piece].text[r.start : r.end]
            assert text and text == text.strip()
        for r in spans:
            for s in spans:
                assert r is s or r.piece != s.piece or r.end <= s.start or s.end <= r.start
    assert pointer.answer([Context("who")], [candidates[0]])[0].readings == []


def test_only_yes_or_no_answers_a_question_worded_so(pointer):
    evidence = (Evidence(1, "notes.txt", "Mina Okafor works in Lisbon."),)
    [asked] = pointer.answer([Context("Does Mina work in Lisbon?", evidence)], [Candidates([], [], [])])
    [told] = pointer.answer([Context("Can you say where Mina works?", evidence)], [Candidates([], [], [])])
    assert {r.kind for r in asked.readings} in ({"yes"}, {"no"}) and all(r.doubt >= 0 for r in asked.readings)
    assert "span" in {r.kind for r in told.readings}


def test_what_a_context_proposes_is_among_its_readings(pointer):
    text = "Mina Okafor works in Lisbon, and in Porto, and in Faro, and in Braga, and in Evora, and in Sines."
    spans = tuple((0, text.index(place), text.index(place) + len(place)) for place in ("Faro", "Sines"))
    evidence = (Evidence(1, "notes.txt", text),)
    [plain] = pointer.answer([Context("where", evidence)], [Candidates([], [], [])])
    [told] = pointer.answer([Context("where", evidence, spans)], [Candidates([], [], [])])
    assert told.readings[: len(plain.readings)] == plain.readings
    assert {(0, r.start, r.end) for r in told.readings} >= set(spans)
    [beyond] = pointer.answer([Context("where", evidence, ((0, 900, 904),))], [Candidates([], [], [])])
    assert beyond.readings == plain.readings


def test_evidence_without_a_token_gives_no_reading(pointer):
    _, candidates = contexts(pointer)
    assert pointer.answer([Context("who", (Evidence(1, "t", "\u200b\x01"),))], [candidates[0]])[0].readings == []


def test_a_separate_reader_reads_and_leaves_routing_alone(tmp_path):
    split = load_memory_model(save_model(tmp_path / "split", reader_layers=2), "cpu")
    ids = torch.randint(4, 50, (1, 9), generator=torch.Generator().manual_seed(2))
    mask = torch.ones(1, 9, dtype=torch.bool)
    routed, read = split.model.encode_backbone(ids, mask), split.model.encode_reading(ids, mask)
    [states] = split.encode_documents([("t", TEXTS[2])])
    split.model.reader.layers[1].mlp_norm.bias.data += 0.5
    assert close(split.model.encode_backbone(ids, mask), routed)
    assert not close(split.model.encode_reading(ids, mask), read)
    assert close(split.encode_documents([("t", TEXTS[2])])[0].router_keys, states.router_keys)


def test_without_a_separate_reader_the_backbone_reads(encoder):
    ids = torch.randint(4, 50, (1, 9), generator=torch.Generator().manual_seed(2))
    mask = torch.ones(1, 9, dtype=torch.bool)
    assert close(encoder.encode_reading(ids, mask), encoder.encode_backbone(ids, mask))
