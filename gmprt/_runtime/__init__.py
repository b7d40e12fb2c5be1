"""The runtime's door: what the public features may use of the scheduler.

The picture, in Go's terms (docs/design.md has the whole of it):

    G      a goroutine. Until it starts it can move; once started it lives on one M.
    Stack  a pooled greenlet of one M: a loop that runs one G after another.
    M      an OS thread. Owns its stacks, the started Gs that live on it, their deadlines.
    P      the right to run Python, and a queue of fresh Gs. GOMAXPROCS of them.
    sched  the global queue, the idle Ps and Ms, the Ms that wait for a P.
    sysmon a thread without a P that takes Ps from blocked Ms.

A feature that makes a goroutine wait does this, and nothing else:

    mp = getm(); gp = mp.curg                 who waits
    done = look_at(ctx)                       if there is a context: before all else
    sg = gp.stack.sudog, or Sudog(gp.stack)   its place; a new one if there is a limit
    sg.owner = self                           owner.dequeue(sg) takes it out again
    gp.waiting, gp.since, gp.reason = sg, mp.now, "chan receive"
    queue sg, look once more whether the wait is over, release every lock
    begin_limits(mp, sg, when, ctx, done)     if there is a deadline or a context
    gopark(mp, gp); sg.owner = NOBODY
    end_limits(mp, sg, when, done)            if there was one
    sg.why                                    None: satisfied; else raise_why(gp, why)

and whoever ends the wait claims `sg` (under the owner's lock, or by its Claim), sets what it is to
find, and calls goready(sg). docs/design.md#wake-up says why no wake-up is lost.
"""

from .attn import raise_signals as raise_signals
from .attn import raise_why as raise_why
from .boot import gomaxprocs as gomaxprocs
from .clock import DONT_WAIT as DONT_WAIT
from .clock import deadline as deadline
from .clock import now as now
from .cpus import num_cpu as num_cpu
from .ctx import CANCEL_KEY as CANCEL_KEY
from .ctx import Canceled as Canceled
from .ctx import ContextDone as ContextDone
from .ctx import DeadlineExceeded as DeadlineExceeded
from .ctx import OwnContext as OwnContext
from .ctx import begin_limits as begin_limits
from .ctx import cause as cause
from .ctx import check_ctx as check_ctx
from .ctx import ctx_error as ctx_error
from .ctx import end_limits as end_limits
from .ctx import look_at as look_at
from .debug import Place as Place
from .debug import all_living as all_living
from .debug import count_leak_warning as count_leak_warning
from .debug import current_g as current_g
from .debug import describe as describe
from .debug import dump as dump
from .debug import living as living
from .debug import main_g as main_g
from .debug import num_goroutine as num_goroutine
from .debug import places_of as places_of
from .debug import stats as stats
from .failures import excepthook as excepthook
from .fault import to_stderr as to_stderr
from .g import G as G
from .g import GoroutineExit as GoroutineExit
from .g import ThreadG as ThreadG
from .g import place_of as place_of
from .g import set_make_ended as set_make_ended
from .g import told as told
from .giveway import GROUND as GROUND
from .halt import Halted as Halted
from .halt import own_sleeps as own_sleeps
from .handoff import goready as goready
from .idle import DeadlockError as DeadlockError
from .lock import PACKAGE_DIR as PACKAGE_DIR
from .lock import Lock as Lock
from .lock import Rank as Rank
from .lock import acquire as acquire
from .lock import lock_slow as lock_slow
from .lock import make_lock as make_lock
from .lock import parked as parked
from .lock import release as release
from .lock import unpark as unpark
from .m import M as M
from .m import tls as tls
from .newg import Spawn as Spawn
from .newg import getm as getm
from .newg import go as go
from .newg import newproc as newproc
from .p import P as P
from .park import gopark as gopark
from .park import gosched as gosched
from .park import set_site_hooks as set_site_hooks
from .protocols import Context as Context
from .protocols import RecvChan as RecvChan
from .protocols import SendChan as SendChan
from .rand import rand as rand
from .rand import shuffled as shuffled
from .rawframe import local_slots as local_slots
from .rawobject import uncounted as uncounted
from .run import current as current
from .run import goexit as goexit
from .run import lock_os_thread as lock_os_thread
from .run import run as run
from .run import sleep as sleep
from .run import unlock_os_thread as unlock_os_thread
from .sched import GIL as GIL
from .signals import unwatch_signals as unwatch_signals
from .signals import watch_signals as watch_signals
from .stack import Stack as Stack
from .sudog import CLOSED as CLOSED
from .sudog import DEAD as DEAD
from .sudog import NOBODY as NOBODY
from .sudog import RETRY as RETRY
from .sudog import TIMED_OUT as TIMED_OUT
from .sudog import Claim as Claim
from .sudog import Sudog as Sudog
from .sudog import take_out as take_out
from .syscall import blocking as blocking
from .syscall import syscall as syscall
from .timerproc import add_timer as add_timer
from .timerproc import del_timer as del_timer
