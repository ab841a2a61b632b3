"""Ask the demo questions of a memory made from this folder, as `msa ask` would print them.

python demo.py MEMORY_DIRECTORY
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MSA = Path(sys.executable).with_name("msa")


def main() -> int:
    questions = [json.loads(line) for line in (HERE / "questions.jsonl").open(encoding="utf-8")]
    worst = 0
    for question in questions:
        if question.get("demo"):
            print(f"\n$ msa ask {question['question']!r}", flush=True)
            worst = max(worst, subprocess.run([MSA, "ask", question["question"], "--store", sys.argv[1]]).returncode)
    print(flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
