"""Which build this is. Found out here, not by gmprt, whose choice of a policy is to be tested."""

import sys

GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
