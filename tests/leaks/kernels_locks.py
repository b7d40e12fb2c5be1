"""Kernels of real bugs in which goroutines wait for locks alone. See kernels.py.

Where two goroutines have to hold a lock each before either wants the other's, `met` (a WaitGroup
counted down by both) keeps them until both do.
"""

from gmprt import Chan, after_func, go
from gmprt.sync import Cond, Mutex, Once, RWMutex, WaitGroup
from tests.conformance.parking import parked
from tests.leaks.corpus import Program, carry_into

LOCKS: list[Program] = []
kernel = carry_into(LOCKS)


def meeting(of: int = 2) -> WaitGroup:
    wg = WaitGroup()
    wg.add(of)
    return wg


def meet(met: WaitGroup) -> None:
    met.done()
    met.wait()


# One goroutine locks twice


@kernel("cockroach584", "mutex: forgotten unlock", 1)
def cockroach_584_a_loop_left_with_the_lock():
    """Two loops look under a lock whether all is over, and leave with the lock if it is."""
    mutex, over = Mutex(), [True]

    def until_over():
        while True:
            mutex.lock()
            if over:
                return
            mutex.unlock()

    def body():
        until_over()
        until_over()

    go(body)


@kernel("cockroach9935", "mutex: double lock", 1)
def cockroach_9935_the_error_path_locks_again():
    """A logger holds its lock when it cannot open its file, and closing down takes the lock."""
    mutex = Mutex()

    def open_file():
        raise OSError("disk full")

    def close_down():
        with mutex:
            pass

    def write():
        with mutex:
            try:
                open_file()
            except OSError:
                close_down()

    go(write)


@kernel("etcd10492", "rwmutex: double lock", 1)
def etcd_10492_a_callback_called_under_the_lock_it_takes():
    """Leases are renewed under a lock, and whoever was registered to hear of it takes it, too."""
    m, listeners = RWMutex(), []

    def save():
        with m:
            pass

    def register(listener):
        with m:
            listeners.append(listener)

    def renew():
        with m:
            for listener in listeners:
                listener()

    def body():
        register(save)
        renew()

    go(body)


@kernel("etcd6708", "rwmutex: read under write", 1)
def etcd_6708_a_request_under_the_write_lock():
    """Synchronising has the write lock and asks the leader, by a request that reads."""
    m = RWMutex()

    def request():
        m.rlock()
        m.runlock()

    def synchronise():
        with m:
            request()

    go(synchronise)


@kernel("etcd5509", "rwmutex: forgotten unlock", 1)
def etcd_5509_an_error_return_with_the_read_lock():
    """Who finds the client closed returns with its read lock; closing it then waits for that."""
    m, client_open, answered = RWMutex(), [], Chan()

    def get():
        try:
            m.rlock()
            if not client_open:
                return
            m.runlock()
        finally:
            answered.close()

    def body():
        go(get)
        answered.recv_ok()
        m.lock()
        m.unlock()

    go(body)


@kernel("grpc795", "mutex: double lock", 2)
def grpc_795_a_second_lock_where_an_unlock_was_meant():
    """Stopping a server that is being stopped locks again; who serves waits for that lock."""
    mutex, draining = Mutex(), []

    def stop():
        mutex.lock()
        if draining:
            mutex.lock()
            return
        draining.append(True)
        mutex.unlock()

    def serve():
        with mutex:
            pass

    def stop_three_times():
        for _ in range(3):
            stop()

    parked(stop_three_times)
    go(serve)


@kernel("moby36114", "mutex: double lock", 1)
def moby_36114_adding_calls_removing_under_the_same_lock():
    """Disks are added under the machine's lock; before that, removing old ones takes it, too."""
    mutex = Mutex()

    def remove():
        with mutex:
            pass

    def add():
        with mutex:
            remove()

    go(add)


@kernel("moby7559", "mutex: forgotten unlock", 1)
def moby_7559_the_next_turn_without_unlock():
    """A proxy that cannot connect goes on with the loop, whose next turn locks again."""
    mutex = Mutex()

    def connect():
        raise OSError("no address")

    def forward():
        for _ in range(2):
            mutex.lock()
            try:
                connect()
            except OSError:
                continue
            mutex.unlock()

    go(forward)


@kernel("moby17176", "mutex: forgotten unlock", 1)
def moby_17176_nothing_to_clean_and_no_unlock():
    """Cleaning returns with the lock if there is nothing to clean; the next user never gets it."""
    mutex, deleted = Mutex(), []

    def clean():
        mutex.lock()
        if not deleted:
            return
        mutex.unlock()

    def use(done):
        with mutex:
            done.send(True)

    def body():
        clean()
        done = Chan()
        go(use, done)
        try:
            done.recv(timeout=0.001)
        except TimeoutError:
            pass

    go(body).join()


@kernel("syncthing4829", "rwmutex: read under write", 1)
def syncthing_4829_telling_of_a_change_under_the_write_lock():
    """Addresses are cleared under a write lock, and whoever is told of it reads under the lock."""
    service, m, addresses = RWMutex(), RWMutex(), {"here": 1}

    def tell(removed):
        with m.rlocker():
            assert removed

    def clear():
        m.lock()
        removed = list(addresses)
        addresses.clear()
        if removed:
            tell(removed)
        m.unlock()

    def remove():
        with service:
            clear()

    go(remove)


# Two locks, in two orders


@kernel("cockroach10214", "mutex: AB-BA", 2)
def cockroach_10214_ab_ba():
    """Heartbeats are sent under the store's lock and take a replica's; its turn, the reverse."""
    store, replica, inner, met = Mutex(), Mutex(), Mutex(), meeting()

    def send_heartbeats():
        with store:
            meet(met)
            with replica:
                pass

    def turn():
        with replica, inner:
            meet(met)
            with store:
                pass

    go(send_heartbeats)
    go(turn)


@kernel("cockroach7504", "mutex: AB-BA", 2)
def cockroach_7504_ab_ba_of_three_locks():
    """Leases are found by name, then locked; to release one, it is locked, then its name found."""
    names, lease, table, met = Mutex(), Mutex(), Mutex(), meeting()

    def find():
        with names:
            meet(met)
            with lease:
                pass

    def give_back():
        with table, lease:
            meet(met)
            with names:
                pass

    go(find)
    go(give_back)


@kernel("kubernetes13135", "mutex: AB-BA", 2)
def kubernetes_13135_ab_ba_in_the_second_turn():
    """A cache is filled under its lock, then its store's; an event comes by way of the store."""
    cache, store, once = Mutex(), RWMutex(), Once()
    filled, met = meeting(1), meeting()

    def replace():
        with store:
            once.do(filled.done)
            cache.unlock()

    def keep_filled():
        for turn in range(2):
            cache.lock()
            if turn:
                meet(met)
            replace()

    def event():
        with store:
            meet(met)
            with cache:
                pass

    go(keep_filled)
    filled.wait()
    go(event)


@kernel("kubernetes30872", "mutex: AB-BA", 3)
def kubernetes_30872_ab_ba_and_one_who_wants_to_stop_it():
    """An informer asks its queue, the queue's reader tells the informer, each under its lock."""
    informer, queue, met = Mutex(), RWMutex(), meeting()

    def add():
        with informer:
            pass

    def read_queue():
        with queue:
            meet(met)
            add()

    def reconcile():
        with informer:
            meet(met)
            with queue:
                pass

    def stop():
        with informer:
            pass

    go(read_queue)
    parked(reconcile)
    go(stop)


@kernel("moby4951", "mutex: AB-BA", 2)
def moby_4951_ab_ba_by_a_lock_given_up_for_a_moment():
    """Who deletes a device gives the set's lock up and takes it again, with the device's held."""
    devices, device, removed = Mutex(), Mutex(), Chan()

    def delete(wait):
        devices.lock()
        device.lock()
        devices.unlock()
        wait()
        devices.lock()
        device.unlock()
        devices.unlock()

    parked(delete, removed.recv_ok)
    parked(delete, int)
    removed.close()


@kernel("hugo3251", "mutex: AB-BA", 3)
def hugo_3251_to_unlock_takes_a_lock_that_is_held():
    """Each address has a lock, kept in a table; who waits for it does so with the table's lock."""
    table, locks, wg, fetched = RWMutex(), {}, meeting(), Chan()

    def fetch(url, wait):
        table.lock()
        locks.setdefault(url, Mutex()).lock()
        table.unlock()
        wait()
        with table.rlocker():
            locks[url].unlock()
        wg.done()

    parked(fetch, "/a", fetched.recv_ok)
    parked(fetch, "/a", int)
    go(wg.wait)
    fetched.close()


@kernel("hugo5379", "mutex: double lock", 4)
def hugo_5379_a_page_that_asks_for_itself_while_it_is_made():
    """A page is made under a lock; what is in it asks for that page, which locks after a while."""
    mutex, content, plain = Mutex(), Once(), Once()
    locked, made, late = Chan(), Chan(1), Chan()

    def make():
        with mutex:
            locked.send(None)
            count_words()
            made.send(None)

    def make_in_time():
        go(make)
        locked.recv()
        try:
            made.recv(timeout=0.001)
        except TimeoutError:
            late.close()

    def strip():
        with mutex:
            pass

    def count_words():
        content.do(make_in_time)
        plain.do(strip)

    def site():
        wg = WaitGroup()
        for _ in range(2):
            wg.go(count_words)
        wg.wait()

    go(site)
    late.recv_ok()


# A reader, a writer that waits, the reader again


@kernel("cockroach3710", "rwmutex: writer between readers", 2)
def cockroach_3710_a_scan_reads_twice():
    """A scan has the store's read lock and asks each replica, which takes it again."""
    m, queue, scanned = RWMutex(), Mutex(), Chan()

    def state():
        with m.rlocker():
            pass

    def scan():
        with m.rlocker():
            scanned.recv_ok()
            with queue:
                state()

    def apply():
        with m:
            pass

    parked(scan)
    parked(apply)
    scanned.close()


@kernel("cockroach6181", "rwmutex: writer between readers", 4)
def cockroach_6181_lookups_that_read_describe_themselves_and_write():
    """A lookup reads, in it reads again to describe itself, then writes; others do the same."""
    m, wg, looked_up = RWMutex(), meeting(3), Chan()

    def describe():
        with m.rlocker():
            pass

    def look_up(wait):
        m.rlock()
        wait()
        describe()
        m.runlock()
        m.lock()
        m.unlock()
        wg.done()

    parked(look_up, looked_up.recv_ok)
    parked(look_up, int)
    parked(look_up, int)
    go(wg.wait)
    looked_up.close()


@kernel("cockroach16167", "rwmutex: writer between readers", 2)
def cockroach_16167_one_lock_by_two_names():
    """A condition's lock is the read side of a lock that is then read-locked by its own name."""
    m, parsed = RWMutex(), Chan()
    changed = Cond(m.rlocker())

    def execute():
        changed.L.lock()
        parsed.recv_ok()
        with m.rlocker():
            pass
        changed.L.unlock()

    def update():
        with m:
            pass

    parked(execute)
    parked(update)
    parsed.close()


@kernel("kubernetes62464", "rwmutex: writer between readers", 2)
def kubernetes_62464_a_getter_that_calls_a_getter():
    """One getter of a state calls another, each with a read lock, while somebody sets it."""
    m, asked = RWMutex(), Chan()

    def default():
        with m.rlocker():
            return 0

    def get():
        m.rlock()
        asked.recv_ok()
        value = default()
        m.runlock()
        return value

    def remove():
        default()
        m.lock()
        m.unlock()

    parked(get)
    parked(remove)
    asked.close()


@kernel("kubernetes58107", "rwmutex: writer between readers", 3)
def kubernetes_58107_a_reader_that_waits_for_work_with_the_lock():
    """A worker waits for work with the read lock; a writer waits for that, then another worker."""
    m = RWMutex()

    def work(cond):
        with m.rlocker(), cond.L:
            cond.wait()

    def synchronise():
        m.lock()
        m.unlock()

    parked(work, Cond(Mutex()))
    parked(synchronise)
    go(work, Cond(Mutex()))


# With a timer


@kernel("grpc3017", "mutex: forgotten unlock", 2)
def grpc_3017_a_timer_that_was_stopped_too_late_keeps_the_lock():
    """A deletion put off is called off when its timer has fired, and returns with the lock then."""
    mutex, timers, called_off = Mutex(), [], []
    fired, returned, done = Chan(), Chan(), Chan()

    def delete():
        fired.send(None)
        mutex.lock()
        if called_off:
            returned.close()
            return
        mutex.unlock()

    def remove():
        with mutex:
            timers.append(after_func(0, delete))

    def use_again():
        with mutex:
            fired.recv()
            if not timers.pop().stop():
                called_off.append(True)

    def client():
        remove()
        use_again()
        returned.recv_ok()
        remove()
        done.close()

    def body():
        go(client)
        done.recv_ok()

    go(body)
    returned.recv_ok()
