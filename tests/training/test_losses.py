import math

import torch

from training import losses


def test_a_positive_competes_with_negatives_only():
    scores = torch.tensor([[0.9, 0.2, 0.5, -0.1]])
    positive = losses.mask_of([[0, 2]], 4)
    got = losses.decoupled_contrastive(scores, positive, ~positive, temperature=0.1)
    below = math.exp(2.0) + math.exp(-1.0)
    wanted = -(math.log(math.exp(9.0) / (math.exp(9.0) + below)) + math.log(math.exp(5.0) / (math.exp(5.0) + below))) / 2
    assert math.isclose(float(got), wanted, rel_tol=1e-5)


def test_rows_without_positives_cost_nothing():
    scores = torch.randn(2, 3, requires_grad=True)
    none = torch.zeros(2, 3, dtype=torch.bool)
    loss = losses.decoupled_contrastive(scores, none, ~none, 0.1)
    loss.backward()
    assert float(loss.detach()) == 0.0 and not scores.grad.any()


def test_distillation_is_zero_for_the_teacher_itself():
    scores = torch.randn(3, 5)
    assert abs(float(losses.similarity_distillation(scores, scores, 0.05))) < 1e-6
    assert float(losses.similarity_distillation(scores, -scores, 0.05)) > 0.1


def test_a_pointer_cannot_leave_the_allowed_positions():
    logits = torch.tensor([[0.0, 50.0, 1.0]])
    allowed = torch.tensor([[True, False, True]])
    free = losses.pointed(logits, torch.tensor([2]), torch.ones(1, 3, dtype=torch.bool))
    bound = losses.pointed(logits, torch.tensor([2]), allowed)
    assert float(free) > 40 and float(bound) < 1
    assert float(losses.pointed(logits, torch.tensor([-100]), allowed)) == 0.0


def test_what_a_teacher_said_is_learned_beside_what_is_known():
    logits = torch.randn(3, 4)
    allowed = torch.tensor([[True, True, True, False]]).expand(3, 4)
    log = logits.masked_fill(~allowed, -1e4).log_softmax(1)
    said = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0], [1.0, 0.0, 0.0, 0.0]])
    target, counted = torch.tensor([1, -100, 0]), torch.tensor([True, True, False])
    soft = -(said * log).sum(1)
    wanted = (0.7 * soft[0] - 0.3 * log[0, 1] + soft[1]) / 2
    assert torch.isclose(losses.taught(logits, target, said, allowed, 0.7, counted), wanted)
    nothing = losses.taught(logits, target, said, allowed, 0.7, torch.zeros(3, dtype=torch.bool))
    assert float(nothing) == 0.0
