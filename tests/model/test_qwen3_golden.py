"""The decoder against numbers of the authors' reference (see data/NOTICE), for two tiny checkpoints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from engine.model.attention import LayerMemory
from engine.model.checkpoint import load_model
from engine.model.prompts import HEAD, Round, framed, named_documents, prompt, tokenise
from engine.model.qwen3 import PooledMemory, Prefill, Qwen3MSA
from engine.model.states import DocumentStates
from engine.model.tokenizer import load_tokenizer
from kernels import routing_scores

DATA = Path(__file__).parent / "data"
CHECKPOINTS = ("a", "b")
POOLED, ROUTER_KEY, SCORE, RAW_SCORE = 2e-5, 2e-6, 2e-6, 1e-5
STREAM, HIDDEN, LOGITS = 1e-4, 5e-5, 1e-4


@dataclass
class Case:
    """One checkpoint, its golden tensors, and the memory and head our model makes of the golden documents."""

    model: Qwen3MSA
    golden: dict[str, Tensor]
    about: dict
    documents: list[list[int]]
    states: list[DocumentStates]
    head: list[LayerMemory]

    @property
    def router_layers(self) -> tuple[int, ...]:
        return self.model.config.router.router_layers

    def prefill(self, name: str) -> Prefill:
        real = self.golden[f"{name}.attention_mask"].bool()
        routes = self.golden[f"{name}.doc_ids"][real] == 0
        memory = PooledMemory(self.states, self.model.config)
        top_k = self.model.config.router.top_k_docs
        ids = self.golden[f"{name}.input_ids"][real].tolist()
        with torch.no_grad():
            return self.model.prefill(ids, routes.tolist(), memory, self.head, top_k)


def make_case(folder: Path, name: str) -> Case:
    model = load_model(folder)
    assert isinstance(model, Qwen3MSA)
    golden = load_file(DATA / f"golden_{name}.safetensors")
    about = json.loads((DATA / f"golden_{name}.json").read_text(encoding="utf-8"))
    ids, owner = golden["mem.input_ids"], golden["mem.doc_ids"]
    documents = [ids[owner == i].tolist() for i in range(1, int(owner.max()) + 1)]
    with torch.no_grad():
        states = model.encode_documents(documents)
        head = model.encode_head(ids[owner == -2].tolist())
    return Case(model, golden, about, documents, states, head)


@cache
def shared_case(name: str) -> Case:
    return make_case(DATA / f"ckpt_{name}", name)


@pytest.fixture(params=CHECKPOINTS)
def case(request) -> Case:
    return shared_case(request.param)


def close(ours: Tensor, golden: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(ours, golden, rtol=0, atol=tolerance)


def record(model: Qwen3MSA) -> tuple[list[Tensor], list[Tensor], list]:
    """Hooks that collect the stream entering each layer and each attention output, batch axis kept."""
    streams: list[Tensor] = []
    attention: list[Tensor] = []
    hooks = []
    for layer in model.model.layers:
        hooks.append(layer.register_forward_pre_hook(lambda module, args: streams.append(args[0])))
        hooks.append(layer.self_attn.register_forward_hook(lambda module, args, out: attention.append(out[0])))
    return streams, attention, hooks


def test_template_head(case: Case) -> None:
    for layer, memory in enumerate(case.head):
        close(memory.keys[0].transpose(0, 1), case.golden[f"mem.layer{layer}.prefix_k"], POOLED)
        close(memory.values[0].transpose(0, 1), case.golden[f"mem.layer{layer}.prefix_v"], POOLED)


def test_pooled_states(case: Case) -> None:
    chunks = torch.tensor([s.keys.shape[1] for s in case.states])
    assert torch.equal(torch.repeat_interleave(torch.arange(len(chunks)), chunks), case.golden["mem.chunk_to_doc"])
    assert [s.n_tokens for s in case.states] == [len(d) for d in case.documents]
    for slot, layer in enumerate(case.router_layers):
        for part, name, bound in (("router_keys", "rk", ROUTER_KEY), ("keys", "k", POOLED), ("values", "v", POOLED)):
            packed = torch.cat([getattr(s, part)[slot] for s in case.states])
            close(packed.transpose(0, 1), case.golden[f"mem.layer{layer}.{name}"], bound)


def test_a_document_alone_or_in_a_batch(case: Case) -> None:
    with torch.no_grad():
        alone = case.model.encode_documents(case.documents[2:3])[0]
    close(alone.router_keys, case.states[2].router_keys, ROUTER_KEY)
    close(alone.keys, case.states[2].keys, POOLED)
    close(alone.values, case.states[2].values, POOLED)


def test_hidden_states_of_head_and_documents(case: Case) -> None:
    golden = case.golden
    rows = [golden["mem.input_ids"][golden["mem.doc_ids"] == -2].tolist(), *case.documents]
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    mask = torch.arange(ids.shape[1]) < lengths[:, None]
    streams, attention, hooks = record(case.model)
    with torch.no_grad():
        hidden = case.model(ids, mask)
    for hook in hooks:
        hook.remove()
    for layer in range(len(streams)):
        close(streams[layer][mask], golden[f"mem.hidden.{layer}"], STREAM)
        close(attention[layer][mask], golden[f"mem.layer{layer}.attn_out"], HIDDEN)
    close(hidden[mask], golden[f"mem.hidden.{len(streams)}"], HIDDEN)


def test_first_question_layer_by_layer(case: Case) -> None:
    streams, attention, hooks = record(case.model)
    prefill = case.prefill("q1")
    for hook in hooks:
        hook.remove()
    for layer in range(len(streams)):
        close(streams[layer][0], case.golden[f"q1.hidden.{layer}"], STREAM)
        close(attention[layer][0], case.golden[f"q1.layer{layer}.attn_out"], HIDDEN)
    for slot, (layer, selection) in enumerate(zip(case.router_layers, prefill.selections, strict=True)):
        close(selection.query.transpose(0, 1), case.golden[f"q1.layer{layer}.router_q"], POOLED)
        # The context is [head ; chosen documents, ascending ; active tokens].
        keys, values = PooledMemory(case.states, case.model.config).fetch(slot, sorted(selection.documents))
        close(keys.transpose(0, 1), case.golden[f"q1.layer{layer}.context_k"], POOLED)
        close(values.transpose(0, 1), case.golden[f"q1.layer{layer}.context_v"], POOLED)
        cached = prefill.cache.layers[layer]
        assert torch.equal(cached.keys[0, 3 : 3 + len(keys)], keys)
        assert cached.keys.shape[1] == 3 + len(keys) + len(prefill.hidden)
    assert prefill.cache.position == int(case.golden["q1.position_ids"][-1]) + 1


@pytest.mark.parametrize("name", ["q1", "q2", "batch1", "q3"])
def test_question(case: Case, name: str) -> None:
    check_question(case, name, SCORE)


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_raw_dot_product_routing(checkpoint: str, tmp_path: Path) -> None:
    folder = DATA / f"ckpt_{checkpoint}"
    config = json.loads((folder / "config.json").read_text())
    config["msa_config"]["aux_loss_method"] = "INFONCE_DECOUPLE"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").symlink_to(folder / "model.safetensors")
    case = make_case(tmp_path, checkpoint)
    for slot, layer in enumerate(case.router_layers):
        raw = torch.cat([s.router_keys[slot] for s in case.states])
        close(raw.transpose(0, 1), case.golden[f"mem.layer{layer}.rk_raw"], POOLED)
    check_question(case, "q1_decouple", RAW_SCORE)


def check_question(case: Case, name: str, score_tolerance: float) -> None:
    prefill = case.prefill(name)
    golden = case.golden
    real = golden[f"{name}.attention_mask"].bool()
    routes = (golden[f"{name}.doc_ids"][real] == 0)[None]
    memory = PooledMemory(case.states, case.model.config)
    router = case.model.config.router
    for slot, (layer, selection) in enumerate(zip(case.router_layers, prefill.selections, strict=True)):
        assert selection.documents == golden[f"{name}.layer{layer}.selected_doc_ids"].tolist()
        close(torch.tensor(selection.scores), golden[f"{name}.layer{layer}.selected_scores"], score_tolerance)
        scores = routing_scores(
            selection.query[None], routes, memory.router_keys[slot], None, memory.chunk_document,
            len(case.states), router.query_reduce_method, router.routing_scale,
        )
        close(scores[0], golden[f"{name}.layer{layer}.doc_scores"], score_tolerance)
    close(prefill.hidden, golden[f"{name}.hidden.4"][real], HIDDEN)
    close(case.model.logits(prefill.hidden).detach(), golden[f"{name}.logits"][real], LOGITS)
    close(prefill.logits, golden[f"{name}.logits"][-1], LOGITS)


@pytest.mark.parametrize("name", ["q1", "q2"])
def test_greedy_generation(case: Case, name: str) -> None:
    tokens = case.golden[f"{name}.gen.tokens"].tolist()
    prefill = case.prefill(name)
    assert case.model.generate(prefill.logits, prefill.cache, len(tokens)) == tokens

    prefill = case.prefill(name)
    assert case.model.generate(prefill.logits, prefill.cache, 12, stop=tokens[:1]) == tokens[:1]
    logits, hidden = [prefill.logits], []
    with torch.no_grad():
        for token in tokens[:-1]:
            hidden.append(case.model.feed([token], prefill.cache)[0])
            logits.append(case.model.logits(hidden[-1]))
    close(torch.stack(logits), case.golden[f"{name}.gen.logits"], LOGITS)
    if name == "q1":
        close(torch.stack(hidden), case.golden["q1.gen.hidden"], HIDDEN)


@torch.no_grad()
def test_tokens_fed_later_are_causal_one_by_one_or_at_once(case: Case) -> None:
    ids, expected = case.golden["inject.input_ids"].tolist(), case.golden["inject.one_by_one_logits"]
    prefill = case.prefill("q1")
    assert prefill.cache.position == int(case.golden["inject.position_ids"][0])
    close(torch.stack([case.model.step(token, prefill.cache) for token in ids]), expected, LOGITS)
    close(case.model.logits(case.model.feed(ids, case.prefill("q1").cache)), expected, LOGITS)


def test_prompts_are_the_reference_texts(case: Case) -> None:
    tokenizer = load_tokenizer(DATA / "ckpt_a")
    texts = case.about["memory"]["texts"]
    encoded = [tokenizer.encode(framed(i, text)).ids for i, text in enumerate(texts)]
    assert encoded == case.documents
    assert tokenizer.encode(HEAD).ids == case.golden["mem.input_ids"][:3].tolist()

    question, emitted = case.about["question"], "[2][5]<|object_ref_end|>"
    assert named_documents("[5]" + emitted) == [2, 5]
    found = {5: texts[5], 2: texts[2]}
    for name, rounds in (("q2", []), ("q3", [Round(emitted, found)])):
        pieces = prompt(question, rounds)
        assert "".join(text for text, _ in pieces) == case.about["prompts"][name]
        ids, routes = tokenise(tokenizer, pieces)
        assert ids == case.golden[f"{name}.input_ids"].tolist()
        assert routes == (case.golden[f"{name}.doc_ids"] == 0).tolist()


def test_small_memory_and_no_routing_token(case: Case) -> None:
    memory = PooledMemory(case.states[:1], case.model.config)
    ids = case.golden["q1.input_ids"].tolist()
    with torch.no_grad():
        small = case.model.prefill(ids, [True] * len(ids), memory, case.head, top_k=3)
        silent = case.model.prefill(ids, [False] * len(ids), memory, case.head, top_k=3)
    assert [s.documents for s in small.selections] == [[0]] * len(case.router_layers)
    assert [s.documents for s in silent.selections] == [[]] * len(case.router_layers)
    assert small.cache.position == silent.cache.position == 3 + 3 + len(ids)
    assert all(layer.keys.shape[1] == 3 + len(ids) for layer in silent.cache.layers)


def test_training_forward_and_gradients(case: Case) -> None:
    """Head, documents and active tokens as one differentiable pass: losses and gradients of the reference."""
    golden, model = case.golden, case.model
    ids, owner = golden["train.input_ids"], golden["train.doc_ids"]
    n_documents = int(owner.max())
    documents = [ids[owner == i].tolist() for i in range(1, n_documents + 1)]
    start = int((owner == n_documents).nonzero().max()) + 1
    active, routes = ids[start:], owner[start:] == 0
    model.zero_grad()
    states = model.encode_documents(documents)
    memory = PooledMemory(states, model.config)
    head = model.encode_head(ids[:3].tolist())
    prefill = model.prefill(active.tolist(), routes.tolist(), memory, head, model.config.router.top_k_docs)
    close(prefill.hidden.detach(), golden["train.hidden.4"][start:], HIDDEN)

    auxiliary = []
    labels = torch.tensor(case.about["train"]["aux_labels_per_document"], dtype=torch.bool)
    for slot, (layer, selection) in enumerate(zip(case.router_layers, prefill.selections, strict=True)):
        scores = differentiable_scores(
            selection.query[routes], memory.router_keys[slot], memory.chunk_document, n_documents,
            model.config.router.query_reduce_method,
        )
        close(scores.detach(), golden[f"train.layer{layer}.doc_scores"], SCORE)
        if layer >= model.config.num_hidden_layers // 2:
            auxiliary.append(routing_loss(scores, labels, 0.1))
    logits = model.logits(prefill.hidden)[:-1]
    lm, answer = (F.cross_entropy(logits, golden[f"train.{name}"][start + 1 :]) for name in ("labels", "answer_labels"))
    aux = torch.stack(auxiliary).mean()
    total = lm + answer + 0.1 * aux
    losses = torch.stack([total, lm, answer, aux]).detach()
    torch.testing.assert_close(losses, golden["train.losses_infonce_decouple"], rtol=1e-5, atol=0)

    total.backward()
    norms = case.about["train"]["grad_norms_of_total_loss"]
    for name, parameter in model.named_parameters():
        if name in case.about["train"]["parameters_without_gradient"]:
            assert parameter.grad is None or not parameter.grad.any(), name
            continue
        assert float(parameter.grad.norm()) == pytest.approx(norms[name], rel=1e-3), name
        full = golden.get(f"train.grad.{name}")
        if full is not None:
            close(parameter.grad, full, 1e-3 * float(full.abs().max()))
    model.zero_grad()


def differentiable_scores(query: Tensor, keys: Tensor, chunk_document: Tensor, n: int, reduce: str) -> Tensor:
    """Document scores [n] of normalised query [T, H, D] and keys [C, G, D]."""
    grouped = query.unflatten(1, (keys.shape[1], -1))
    by_token = torch.einsum("tgrd,cgd->tc", grouped, keys) / query.shape[1]
    by_chunk = by_token.amax(0) if reduce == "max" else by_token.mean(0)
    return torch.stack([by_chunk[chunk_document == document].amax() for document in range(n)])


def routing_loss(scores: Tensor, positive: Tensor, temperature: float) -> Tensor:
    """Each positive competes with the negatives only (arXiv 2603.23516, training)."""
    weights = (scores / temperature).exp()
    return -(weights[positive] / (weights[positive] + weights[~positive].sum())).log().mean()
