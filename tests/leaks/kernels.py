"""Go's corpus of leaks: which it has, and what has become of each here.

The kernels are real bugs of Go programs, cut down to the goroutines, channels and locks that are
stuck. Go: src/runtime/testdata/testgoroutineleakprofile, goker/ in it, and
runtime/goroutineleakprofile_test.go. They are told in our own words, with Python's means; Go's
leak sometimes, when an order comes about, these bring it about: by a channel or a wait group that
the bug does not have, or by waiting until a goroutine waits (`parked`). So each leaves the same
number of goroutines every time.
"""

from tests.leaks.kernels_channels import CHANNELS
from tests.leaks.kernels_locks import LOCKS
from tests.leaks.kernels_mixed import MIXED
from tests.leaks.kernels_simple import SIMPLE

__all__ = ["GO_KERNELS", "GO_SIMPLE", "KERNELS", "NOT_CARRIED", "SIMPLE"]

KERNELS = [*LOCKS, *CHANNELS, *MIXED]

_FILES = """
cockroach10214 cockroach1055 cockroach10790 cockroach13197 cockroach13755 cockroach1462
cockroach16167 cockroach18101 cockroach2448 cockroach24808 cockroach25456 cockroach35073
cockroach35931 cockroach3710 cockroach584 cockroach6181 cockroach7504 cockroach9935
etcd10492 etcd5509 etcd6708 etcd6857 etcd6873 etcd7492 etcd7902
grpc1275 grpc1424 grpc1460 grpc3017 grpc660 grpc795 grpc862
hugo3251 hugo5379
istio16224 istio17860 istio18454
kubernetes10182 kubernetes11298 kubernetes13135 kubernetes1321 kubernetes25331 kubernetes26980
kubernetes30872 kubernetes38669 kubernetes5316 kubernetes58107 kubernetes62464 kubernetes6632
kubernetes70277
moby17176 moby21233 moby25384 moby27782 moby28462 moby29733 moby30408 moby33781 moby36114 moby4951
moby7559
serving2137
syncthing4829 syncthing5795
"""

_REGISTERED = """
NilRecv NilSend SelectNoCases SelectNoCasesMain ChanRecv ChanSend Select WaitGroup MutexStack
MutexHeap RWMutexRLock RWMutexLock Cond Mixed NoLeakGlobal
NoCloseRange MethodContractViolation DoubleSend EarlyReturn NCastLeak Timeout
SpawnGC DaisyChain
"""

GO_KERNELS = _FILES.split()  # the files of goker/
GO_SIMPLE = _REGISTERED.split()  # what simple.go, commonpatterns.go and stresstests.go register

NOT_CARRIED = {
    "SelectNoCasesMain": "main waits for ever: a child process in test_kernels.py, no program here",
}
