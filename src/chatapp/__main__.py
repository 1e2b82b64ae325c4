"""``python -m chatapp`` is the command ``chatcore``."""

import sys

from chatapp.cli import main

if __name__ == "__main__":
    sys.exit(main())
