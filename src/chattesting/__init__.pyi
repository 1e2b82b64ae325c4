# The types of what an application's tests use; __init__.py finds it when it runs.

from chattesting.clients import PASSWORD as PASSWORD
from chattesting.clients import ClientFactory as ClientFactory
from chattesting.errors import StillBusy as StillBusy
from chattesting.errors import WrongEventLoop as WrongEventLoop
from chattesting.manual_clock import ManualClock as ManualClock
from chattesting.running_chat import RunningChat as RunningChat
from chattesting.running_chat import open_chat as open_chat
from chattesting.settings import ChatSettings as ChatSettings

__all__: list[str]  # noqa: PYI035  # the names above, exported by "as"
