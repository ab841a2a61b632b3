"""What the retrieval benchmark counts, and how it fuses rankings."""

from benchmarks import code_search
from benchmarks.baselines import fuse, fused, two_steps
from benchmarks.retrieval import measures
from benchmarks.scoring import bootstrap


def test_measures_count_gold_passages_up_to_each_cut():
    got = measures(["a", "x", "b", "y", "z", "c"], ["a", "b", "c"])
    assert (got["R@1"], got["R@2"], got["R@5"], got["R@10"]) == (1 / 3, 1 / 3, 2 / 3, 1.0)
    assert (got["all@5"], got["all@10"]) == (0.0, 1.0)


def test_fusion_prefers_what_both_lists_hold():
    assert fuse([[1, 2, 3], [3, 4]]) == [3, 1, 2, 4]
    assert fused(lambda q: [7, 8], lambda q: [8])("q") == [8, 7]


def test_the_second_step_sees_the_best_passage_and_keeps_the_front():
    asked = []

    def retrieve(question: str) -> list[int]:
        asked.append(question)
        return [1, 2, 3] if len(asked) == 1 else [9, 3]

    assert two_steps(retrieve, {1: "bridge"}.__getitem__)("who") == [1, 2, 3, 9]
    assert asked == ["who", "who bridge"]


def test_bootstrap_brackets_the_mean_and_knows_no_difference():
    mean, low, high = bootstrap([1.0, 0.0, 1.0, 1.0] * 20, [0.0, 0.0, 1.0, 1.0] * 20)
    assert mean == 25.0 and 0 < low < mean < high
    assert bootstrap([0.5] * 9, [0.5] * 9) == (0.0, 0.0, 0.0)


def test_a_docstring_asks_for_its_function_without_it(tmp_path):
    (tmp_path / "box.py").write_text(
        'class Box:\n    def lift(self, crane):\n        """Raise the box above the quay with a crane. Slowly.\n\n        More.\n'
        '        """\n        rope = crane.rope\n        rope.tie(self)\n        crane.pull(rope)\n        return crane\n\n'
        '    def short(self):\n        """Too short to be worth a question."""\n        return 1\n'
    )
    (question, passage), = code_search.functions(tmp_path)
    assert question == "Raise the box above the quay with a crane"
    assert passage["title"] == "box.py > Box.lift" and passage["id"] == "box.py:2"
    assert "Raise" not in passage["text"] and "crane.pull(rope)" in passage["text"] and "def lift" in passage["text"]
