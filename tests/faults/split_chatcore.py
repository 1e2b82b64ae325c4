"""The command ``chatcore`` with servers whose frames come apart: see ``splitting``.

``python -m tests.faults.split_chatcore serve …``
"""

import sys

from chatapp.cli import main
from tests.faults.splitting import splitting_transports
from transports import register_transport

if __name__ == "__main__":
    for scheme, transport in splitting_transports("").items():
        register_transport(scheme, transport)
    sys.exit(main())
