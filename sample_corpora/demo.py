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
    failed = False
    for question in questions:
        if question.get("demo"):
            print(f"\n$ msa ask {question['question']!r}", flush=True)
            # 0 found, 1 not found: both are answers.
            failed |= subprocess.run([MSA, "ask", question["question"], "--store", sys.argv[1]]).returncode > 1
    print(flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
