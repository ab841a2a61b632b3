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
