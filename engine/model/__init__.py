"""The models: configuration, checkpoint folder, tokenizer, the MSA layer, two backbones, pointing heads.

Nothing here knows a store or reads a corpus. Import the submodule you need: most pull in torch.
"""

import os

# Idle worker threads sleep instead of spinning: on a machine with other work, spinning halves the speed.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
