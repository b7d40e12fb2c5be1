/* The wake, idle and hand-off protocol of gmprt/_runtime. README.md says what is modelled and what is not.
 *
 * One proctype is one thread. What is in `atomic` is either a region under sched.lock or one atomic step of a deque; between
 * any two other statements every other thread may run. Goroutines are counted, not named. The function that a step stands
 * for is named in brackets.
 *
 * FREE: the wake policy without the GIL (sched.FreePolicy), else the one with it (sched.GilPolicy).
 * MUTANT_...: a fault put in, which `check` expects to be found.
 */

#ifndef NM
#define NM 2 /* Ms; all exist and sleep but the first, which has P 0 and a goroutine to run */
#endif
#ifndef NP
#define NP 1 /* Ps */
#endif
#ifndef GOS
#define GOS 1 /* goroutines that goroutines start */
#endif
#ifndef FOREIGN
#define FOREIGN 2 /* goroutines that the foreign thread starts or makes ready */
#endif
#ifndef PARKS
#define PARKS 1 /* times that a goroutine parks, to be made ready by another thread */
#endif
#ifndef RETAKES
#define RETAKES 1 /* Ps that are taken from an M in the middle of anything (unannounced blocking) */
#endif
#ifndef STUCK
#define STUCK 1 /* announced calls that never return */
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 1 /* sleeps of idle Ms that end by themselves */
#endif

#define NONE 255

bool note[NM], snote;              /* Note: free = NOTIFIED; sysmon_note */
bool idle[NM];                     /* M.idle, and on an idle list */
bool spinning[NM];                 /* M.spinning */
bool incall[NM];                   /* M.incall */
byte readyq[NM];                   /* M.readyq: started goroutines that are ready */
byte parked[NM];                   /* started goroutines that wait, each to be claimed by one waker */
byte live[NM];                     /* M.nlive(), the running one left out: waiting, claimed or ready */
byte p_of[NM] = NONE;              /* M.p */
byte m_of[NP] = NONE;              /* P.m */
bool free_p[NP];                   /* P is in sched.pidle */
byte npidle;                       /* len(sched.pidle) */
byte fresh[NP];                    /* P.runnext and P.runq */
byte runq;                         /* sched.runq */
byte nspinning;                    /* sched.nspinning */
chan pwait = [NM] of { byte };     /* sched.pwait */
bool sysmon_sleeping;              /* sched.sysmon_sleeping */
byte gos = GOS, parks = PARKS, retakes = RETAKES, stuck = STUCK, timeouts = TIMEOUTS;
hidden byte i;

#if NP > 1
#define QUEUED (runq || fresh[0] || fresh[1])                                            /* [Sched.queued] */
#define IDLE_FRESH ((fresh[0] && m_of[0] == NONE) || (fresh[1] && m_of[1] == NONE))
#else
#define QUEUED (runq || fresh[0])
#define IDLE_FRESH (fresh[0] && m_of[0] == NONE)
#endif
#ifdef FREE
#define TAKEABLE QUEUED                                                                  /* [Sched.takeable] */
#else
#define TAKEABLE (runq || IDLE_FRESH)
#endif

/* [release] of sched.lock: the invariants of sched.py and p.py hold whenever it is free. */
inline release()
{
	d_step {
		i = 0;
		do
		:: i < NP ->
			assert((m_of[i] != NONE) + free_p[i] == 1);            /* held or idle, never both */
			assert(m_of[i] == NONE || p_of[m_of[i]] == i);         /* they name each other */
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < NM ->
			assert(p_of[i] == NONE || m_of[p_of[i]] == i);
			assert(!(idle[i] && p_of[i] != NONE));                 /* an idle M has no P */
			assert(!(idle[i] && pwait??[eval(i)]));                /* nor does it wait for one */
			i++
		:: else -> break
		od;
		assert(!(npidle && len(pwait)));                               /* nobody waits while a P is idle */
		assert(nspinning <= NM);                                       /* not below zero */
		i = 0
	}
}

/* [wire] under sched.lock */
inline wire(p, m)
{
	assert(m_of[p] == NONE && p_of[m] == NONE && !free_p[p]);              /* a P has one holder */
	m_of[p] = m;                                                           /* pp.m = mp */
	p_of[m] = p;                                                           /* mp.p = pp */
	if
	:: sysmon_sleeping -> sysmon_sleeping = false; snote = true            /* sysmon_note.wake() */
	:: else
	fi
}

/* [unwire] under sched.lock */
inline unwire(p, m)
{
	m_of[p] = NONE;                                                        /* pp.m = None */
	p_of[m] = NONE;                                                        /* mp.p = None */
	unspin(m)
}

inline unspin(m)
{
#ifndef MUTANT_SPINNING_KEPT
	if
	:: spinning[m] -> spinning[m] = false; nspinning--                     /* sched.nspinning -= 1 */
	:: else
	fi
#else
	skip
#endif
}

/* [passp] under sched.lock; taker is to be woken after it */
inline passp(p, taker)
{
	if
	:: len(pwait) > 0 -> pwait?taker; wire(p, taker)                       /* sched.pwait.popleft() */
	:: else -> free_p[p] = true; npidle++; taker = NONE                    /* sched.pidle.append(pp) */
	fi
}

/* sched.pidle.pop() under sched.lock: any of them */
inline pop_pidle(p)
{
	if
	:: free_p[0] -> p = 0
#if NP > 1
	:: free_p[1] -> p = 1
#endif
	fi;
	free_p[p] = false;
	npidle--
}

/* [take_idle_m] under sched.lock: any of them; NONE if none is idle */
inline take_idle_m(m)
{
	if
	:: idle[0] -> m = 0
#if NM > 1
	:: idle[1] -> m = 1
#endif
#if NM > 2
	:: idle[2] -> m = 2
#endif
	:: else -> m = NONE
	fi;
	if
	:: m != NONE -> idle[m] = false                                        /* mp.idle = False */
	:: else
	fi
}

/* mp.note.wake(). After a region under the lock it comes here within it: who is woken has nothing else to wait for, and
 * nobody but itself looks at its note. */
inline wake(m)
{
	d_step {
		if
		:: m != NONE -> note[m] = true
		:: else
		fi;
		m = NONE
	}
}

/* [startm]: w and x are the caller's own, and NONE again afterwards */
inline startm(spins)
{
	atomic {                                                               /* lock_sched() */
		if
		:: npidle == 0 || (spins && nspinning) -> w = NONE
		:: else ->
			take_idle_m(w);
			if
			:: w != NONE ->
				pop_pidle(x);
				wire(x, w);
				x = NONE;
				if
				:: spins -> spinning[w] = true; nspinning++
				:: else
				fi
			:: else
			fi
		fi;
		release();
		wake(w)
	}
}

/* [wakep] */
inline wakep()
{
	if
	:: npidle ->                                                           /* if sched.pidle */
		if
		:: !nspinning -> startm(true)                                  /* and not sched.nspinning */
		:: else
		fi
	:: else
	fi
}

/* [handoffp] */
inline handoffp(p, m)
{
	atomic {                                                               /* lock_sched() */
		if
#ifndef MUTANT_HANDOFF_UNCHECKED
		:: m_of[p] != m || p_of[m] != p -> w = NONE; taken = false
		:: else ->
#else
		:: true ->
#endif
			unwire(p, m);
			passp(p, w);
			taken = true
		fi;
		release();
		if
		:: w != NONE ->
			taken = false;
#ifdef MUTANT_TAKER_NOT_WOKEN
			w = NONE
#else
			wake(w)                                                /* taker.note.wake() */
#endif
		:: else
		fi
	}
#ifndef MUTANT_HANDOFF_STARTS_NONE
	if
	:: taken && TAKEABLE -> taken = false; startm(false)
	:: else -> taken = false
	fi
#else
	taken = false
#endif
}

/* [acquirep] */
inline acquirep()
{
	if
	:: npidle ->                                                           /* if not sched.pidle: return */
		atomic {                                                       /* lock_sched() */
			if
			:: npidle && p_of[me] == NONE -> pop_pidle(x); wire(x, me); x = NONE
			:: else
			fi;
			release()
		}
	:: else
	fi
}

/* [wait_for_p] */
inline wait_for_p()
{
	do
	:: p_of[me] != NONE -> break                                           /* while mp.p is None */
	:: else ->
		atomic {                                                       /* lock_sched() */
			if
			:: p_of[me] == NONE && npidle -> pop_pidle(x); wire(x, me); x = NONE
			:: p_of[me] == NONE && !npidle ->
				waits = true;
				if
#ifdef MUTANT_QUEUED_ONCE
				:: queued_once
				:: !queued_once -> pwait!me; queued_once = true
#else
				:: pwait??[eval(me)]
				:: else -> pwait!me                    /* if mp not in sched.pwait */
#endif
				fi
			:: else
			fi;
			release()
		}
		if
		:: waits ->
			waits = false;
			if
			:: p_of[me] == NONE -> atomic { note[me] -> note[me] = false } /* mp.note.sleep() */
			:: else
			fi
		:: else
		fi
	od
#ifdef MUTANT_QUEUED_ONCE
	; queued_once = false
#endif
}

/* [goready]: t is the M where the goroutine lives; its Sudog has been claimed */
inline goready(t)
{
#ifdef MUTANT_LOOK_FIRST
	if
	:: idle[t] -> readyq[t]++; d_step { note[t] = true; t = NONE }
	:: else -> d_step { readyq[t]++; t = NONE }
	fi
#else
	readyq[t]++;                                                           /* publish */
#ifndef MUTANT_NO_LOOK
	if
	:: idle[t] -> d_step { note[t] = true; t = NONE }                      /* look, wake */
	:: else -> t = NONE
	fi
#else
	t = NONE
#endif
#endif
}

/* Claim a goroutine that waits anywhere: as a channel does, under its own lock. */
inline claim(t)
{
	if
	:: atomic { parked[0] -> parked[0]--; t = 0 }
#if NM > 1
	:: atomic { parked[1] -> parked[1]--; t = 1 }
#endif
#if NM > 2
	:: atomic { parked[2] -> parked[2]--; t = 2 }
#endif
	fi
}

#if NM > 2
#define ANY_PARKED (parked[0] || parked[1] || parked[2])
#else
#define ANY_PARKED (parked[0] || parked[1])
#endif

/* [_queue_without_p], [wake_for_foreign] */
inline go_without_p()
{
	runq++;                                                                /* publish */
#ifndef MUTANT_GO_WAKES_NOBODY
#ifdef FREE
	wakep()                                                                /* look, wake */
#else
	if
	:: npidle >= NP -> wakep()
	:: else
	fi
#endif
#else
	skip
#endif
}

/* [resetspinning] */
inline resetspinning()
{
	atomic { unspin(me); release() }                                       /* lock_sched() */
#ifdef FREE
	if
	:: npidle && QUEUED -> wakep()
	:: else
	fi
#endif
}

proctype Mproc(byte me)
{
	byte pp = NONE, w = NONE, x = NONE, t = NONE;
	bool waits, taken;
#ifdef MUTANT_QUEUED_ONCE
	bool queued_once;
#endif

	if
	:: me > 0 -> goto asleep
	:: else
	fi;

top:	/* [find_runnable] 3: a P, if there is something to do with one */
	pp = p_of[me];
	if
	:: pp == NONE ->
		if
		:: spinning[me] -> resetspinning()
		:: else
		fi;
		if
		:: readyq[me] ->
			acquirep();
			if
			:: p_of[me] == NONE -> wait_for_p()
			:: else
			fi
		:: else ->
			if
			:: TAKEABLE -> acquirep()
			:: else
			fi;
			if
			:: p_of[me] == NONE -> goto to_idle
			:: else
			fi
		fi;
		goto top
	:: else
	fi;
	if
	:: len(pwait) -> handoffp(pp, me); pp = NONE; goto top                            /* _others_want, slice_over */
	:: true                                                                /* not yet over, or nobody */
	fi;

pick:	/* [_pick]; it may have lost the P by now, and goes on with its queue */
	if
	:: atomic { readyq[me] -> readyq[me]--; live[me]-- }; goto found                 /* readyq.popleft() */
	:: atomic { fresh[pp] -> fresh[pp]-- }; goto found                     /* pp.get() */
	:: atomic { !readyq[me] && !fresh[pp] -> skip }
	fi;
	if
	:: atomic { runq -> runq-- };                                          /* [_globrunqget] pops ... */
		fresh[pp]++;                                                   /* ... and appends */
		goto moved
	:: atomic { !runq -> skip }
	fi;
#if NP > 1
	if
#ifdef FREE
	:: atomic { fresh[1 - pp] -> fresh[1 - pp]-- };                        /* [steal] grabs ... */
#else
	:: atomic { fresh[1 - pp] && (m_of[1 - pp] == NONE || spinning[me]) -> fresh[1 - pp]-- };
#endif
		fresh[pp]++;                                                   /* ... and extends */
		goto moved
	:: true                                                                /* it has looked before that */
	fi;
#endif
	/* [find_runnable] 5: nothing */
#ifdef FREE
	if
	:: len(pwait) == 0 && p_of[me] == pp ->                                /* [spin] */
		if
		:: !spinning[me] ->
			if
			:: nspinning && 2 * nspinning >= NP - npidle -> goto to_idle
			:: else
			fi;
			atomic { spinning[me] = true; nspinning++; release() } /* lock_sched() */
		:: else
		fi;
		if
		:: readyq[me] || TAKEABLE -> goto top
		:: true
		fi
	:: true
	fi;
#endif
	goto to_idle;

moved:
#ifndef MUTANT_LOST_P
	if
	:: m_of[pp] == NONE -> wakep()                                         /* the P was lost: nobody else looks */
	:: else
	fi;
#endif
	goto pick;

found:
	pp = NONE;
	if
	:: spinning[me] -> resetspinning()
	:: else
	fi;
	/* The goroutine runs. It does one thing, or starts others first, then ends, or parks. */
	if
	:: true                                                                /* computes */
	:: atomic { parks -> parks--; parked[me]++; live[me]++ }               /* [gopark] */
	:: atomic { gos -> gos-- };                                            /* [go] */
		pp = p_of[me];                                                 /* pp = mp.p */
		if
		:: pp == NONE -> go_without_p()
		:: else ->
			fresh[pp]++;                                           /* runnext.append: publish */
#ifndef MUTANT_GO_WAKES_NOBODY
			if
#ifdef FREE
			:: npidle && !nspinning -> pp = NONE; wakep()          /* look, wake */
			:: else ->
#else
			:: true ->
#endif
				if
#ifndef MUTANT_LOST_P
				:: m_of[pp] == NONE -> pp = NONE; wakep()      /* the P was lost meanwhile */
#endif
				:: else -> pp = NONE
				fi
			fi
#else
			pp = NONE
#endif
		fi;
		goto found                                                     /* and goes on */
	:: ANY_PARKED ->
		if
		:: claim(t); goready(t)
		:: !ANY_PARKED                                                 /* another has claimed it */
		fi
	:: !live[me] -> incall[me] = true;                                     /* [syscall] in place, [_entersyscall] */
		if
		:: true
		:: atomic { stuck -> stuck-- };
end_call:
			false
		fi;
		incall[me] = false;                                            /* [_exitsyscall] */
		if
		:: p_of[me] == NONE ->
			acquirep();
			if
			:: p_of[me] == NONE -> wait_for_p()
			:: else
			fi
		:: else
		fi
	fi;
	goto top;

to_idle: /* [idle] */
	atomic {                                                               /* lock_sched() */
		pp = p_of[me];
		w = NONE;
		if
		:: pp != NONE -> unwire(pp, me); passp(pp, w)
		:: else
		fi;
		unspin(me);
		idle[me] = true;                                               /* announce */
		pp = NONE;
		release();
		wake(w)                                                        /* taker.note.wake() */
	}
#ifndef MUTANT_NO_RECHECK_QUEUES
	if
	:: npidle && TAKEABLE -> goto awake                                    /* re-check */
	:: else
	fi;
#endif
#ifndef MUTANT_NO_RECHECK_READYQ
	if
	:: readyq[me] -> goto awake
	:: else
	fi;
#endif
asleep:	/* [_sleep] */
end_asleep:
	if
	:: atomic { note[me] -> note[me] = false }                             /* mp.note.sleep() */
	:: atomic { timeouts -> timeouts-- }                                   /* its time is over */
	fi;
awake:
	atomic { idle[me] = false; release() }                                 /* lock_sched() */
	goto top;
}

/* A thread without a P: two things, each a new goroutine or one made ready. */
proctype Foreign()
{
	byte w = NONE, x = NONE, t = NONE, n = FOREIGN;
	do
	:: n == 0 -> break
	:: n > 0 -> n--; go_without_p()
	:: n > 0 -> n--;
end_foreign:
		claim(t);
		goready(t)
	od
}

/* sysmon. It looks again and again: here, whenever there is something to see. */
proctype Sysmon()
{
	byte pp = NONE, mm = NONE, w = NONE, x = NONE;
	bool taken;
end_nap:
	do
	/* [look_at_call] */
	:: atomic { m_of[0] != NONE && incall[m_of[0]] && (len(pwait) || QUEUED) -> pp = 0; mm = m_of[0] };
		handoffp(pp, mm); pp = NONE; mm = NONE
#if NP > 1
	:: atomic { m_of[1] != NONE && incall[m_of[1]] && (len(pwait) || QUEUED) -> pp = 1; mm = m_of[1] };
		handoffp(pp, mm); pp = NONE; mm = NONE
#endif
	/* [look_at_call] after DELAY_MAX, [look_at_run], [retake]: between look and lock the M goes on */
	:: atomic { retakes && m_of[0] != NONE -> retakes--; pp = 0; mm = m_of[0] };
		handoffp(pp, mm); pp = NONE; mm = NONE
#if NP > 1
	:: atomic { retakes && m_of[1] != NONE -> retakes--; pp = 1; mm = m_of[1] };
		handoffp(pp, mm); pp = NONE; mm = NONE
#endif
#ifndef ONLY_RETAKES
	/* [look_at_queues]; a thief is sent to a P that is held only where its M stands still */
	:: QUEUED && npidle && !nspinning -> startm(true)
	/* [deep_sleep] */
	:: npidle == NP ->
		atomic { sysmon_sleeping = (npidle == NP) }                    /* announce */
		if
		:: sysmon_sleeping ->
			if
			:: QUEUED -> wakep()                                   /* re-check */
			:: else
			fi;
end_deep:
			atomic { snote -> snote = false };                     /* self.nap(inf) */
			sysmon_sleeping = false
		:: else
		fi
#endif
	od
}

/* When no thread can do anything any more. */
proctype Quiet()
{
	byte m;
end_quiet:
	timeout;
	d_step {
		m = 0;
		do
		:: m < NM ->
			assert(readyq[m] == 0);                                /* no lost wake-up */
			assert(!spinning[m]);
			assert(!(npidle && QUEUED && idle[m]));                /* no work beside an idle P and M */
			m++
		:: else -> break
		od;
		assert(len(pwait) == 0);                                       /* who waits for a P gets one */
		assert(nspinning == 0)
	}
}

init {
	atomic {
		p_of[0] = 0;
		m_of[0] = 0;
		readyq[0] = 1;
		live[0] = 1;
		idle[1] = true;
#if NM > 2
		idle[2] = true;
#endif
#if NP > 1
		free_p[1] = true;
		npidle = 1;
#endif
		run Mproc(0);
		run Mproc(1);
#if NM > 2
		run Mproc(2);
#endif
#if FOREIGN > 0
		run Foreign();
#endif
#ifndef NO_SYSMON
		run Sysmon();
#endif
		run Quiet()
	}
}
