"""What tests share: waiting without sleeping, order without timing, programs as children."""

from .gil import GIL as GIL
from .order import Sequencer as Sequencer
from .order import check_sequence as check_sequence
from .progs import Finished as Finished
from .progs import run_prog as run_prog
from .progs import start_prog as start_prog
from .progs import wait_prog as wait_prog
from .waiting import everything as everything
from .waiting import wait_all_parked as wait_all_parked
from .waiting import wait_until as wait_until

__all__ = [
    "Finished",
    "Sequencer",
    "check_sequence",
    "everything",
    "run_prog",
    "start_prog",
    "wait_all_parked",
    "wait_prog",
    "wait_until",
]
