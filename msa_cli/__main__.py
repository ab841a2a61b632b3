"""`python -m msa_cli`."""

import sys

from msa_cli.app import main

if __name__ == "__main__":
    sys.exit(main())
