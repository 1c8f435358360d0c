/* The slots of one worker: queued, taken, running, condemned, done, last, reclaimed, and how both
   sides sleep. See README.md; the code is executors/brigade/wire/{host,worker}_lane.cpp.

   One host gives JOBS jobs to a worker through SLOTS slots, takes some of them back, condemns some,
   and reads answers. The worker may die before any of its steps. A second actor wants to interrupt
   a job at any time, as a deadline does.

   Memory is sequentially consistent here, as the four accesses of each handshake are in the code.
   What is checked: no job runs twice; none is lost; a signal never hits a job other than the one
   that was condemned; nobody sleeps while there is something for him (an end that is no end state). */

#ifndef JOBS
#define JOBS 3
#endif
#define SLOTS 2

/* MUTANT picks one fault, to see that the check can fail:
   1 the worker does not look again before it sleeps
   2 the host does not look again before it sleeps
   3 the worker takes the next call after a condemned one
   4 taking back does not compare: it stores
   5 the host kills without having condemned
   6 a death is judged before answers are read */
#ifndef MUTANT
#define MUTANT 0
#endif

mtype = { FREE, QUEUED, RECLAIMED, TAKEN, RUNNING, CONDEMNED, DONE, LAST };

typedef slot_t { byte call; mtype state };
slot_t slots[SLOTS];          /* call and state are one word: changed in one atomic step */

bool worker_waits = false;    /* the worker's futex word */
bool host_waits = false;      /* the host's */
bool closing = false;
bool dead = false;            /* the worker has died, or was killed */
bool killed = false;          /* a signal is on its way: the worker may die at any moment */

byte ran[JOBS + 1];           /* how often the body of a job began */
byte settled[JOBS + 1];       /* how often the host gave it an outcome */
bool wanted[JOBS + 1];        /* its interruption was asked for */
byte meant = 0;               /* the job that the signal is for */

#define at(c) slots[(c) % SLOTS]

/* --- worker -------------------------------------------------------------------------------- */

#define die_here if :: dead = true; goto died :: killed -> dead = true; goto died :: skip fi

active proctype worker() {
  byte next = 1;
  bool condemned = false;
  do
  :: die_here;
     if
     :: atomic { at(next).call == next && at(next).state == QUEUED ->
          at(next).state = TAKEN }                          /* compare-and-swap */
     :: atomic { at(next).call == next && at(next).state == RECLAIMED -> next++ } goto again
     :: atomic { at(next).call > next -> next++ } goto again
     :: else ->
        /* sleep: say so, look again, wait */
        worker_waits = true;
        die_here;
#if MUTANT != 1
        if
        :: at(next).call >= next -> worker_waits = false; goto again
        :: else
        fi;
#endif
        if
        :: closing -> goto left
        :: else
        fi;
        if
        :: !worker_waits -> goto again                      /* futex: woken */
        :: killed -> dead = true; goto died
        fi
     fi;
     die_here;
     atomic {
       ran[next]++;
       assert(ran[next] == 1);                              /* never twice */
       if
       :: at(next).state == TAKEN -> at(next).state = RUNNING
       :: else                                              /* condemned meanwhile */
       fi
     }
     if                                                     /* the task's own crash, or a signal */
     :: dead = true; goto died
     :: killed -> assert(meant == next); dead = true; goto died
     :: skip
     fi;
     atomic {
       if
       :: at(next).state == RUNNING -> at(next).state = DONE; condemned = false
       :: at(next).state == CONDEMNED -> at(next).state = LAST; condemned = true
       fi
     }
     if
     :: host_waits -> host_waits = false                    /* exchange, then wake */
     :: else
     fi;
#if MUTANT != 3
     if
     :: condemned -> (killed || closing); dead = true; goto died
     :: else
     fi;
#endif
     next++;
again: skip
  od;
left:
  dead = true;
died: 
  /* The kernel tells the host; like an event of its epoll set. */
  host_waits = false
}

/* --- host ---------------------------------------------------------------------------------- */

/* Jobs are sent in order, each once: what comes back is settled elsewhere (another worker's lane). */
byte sent = 0;                /* the last that was published */
byte head = 1;                /* the oldest that has no outcome here */
bool back[JOBS + 1];          /* taken back */

inline settle(job) {
  settled[job]++;
  assert(settled[job] == 1)
}

inline read_answers() {
  do
  :: head <= sent && back[head] -> head++
  :: head <= sent && !back[head] && (at(head).state == DONE || at(head).state == LAST) ->
     settle(head); head++
  :: else -> break
  od
}

inline take_back(job) {
#if MUTANT == 4
  if
  :: at(job).call == job -> at(job).state = RECLAIMED; back[job] = true; settle(job)
  :: else
  fi
#else
  atomic {
    if
    :: at(job).call == job && at(job).state == QUEUED ->
       at(job).state = RECLAIMED; back[job] = true; settle(job)
    :: else
    fi
  }
#endif
}

active proctype host() {
  byte job;
  do
  :: /* read, and judge a death: what had been answered counts, what was not taken goes elsewhere */
#if MUTANT == 6
     if
     :: dead -> goto judge
     :: else
     fi;
     read_answers();
#else
     bool over = dead;
     read_answers();
     if
     :: over -> goto judge
     :: else
     fi;
#endif
     if
     :: head > JOBS -> goto finished
     :: else
     fi;
     if
     :: sent < JOBS && (sent < head || sent + 1 - head < SLOTS ||
                        (sent + 1 - head == SLOTS && back[head])) ->
        /* send: publish, then look whether the worker sleeps. The slot of a job that was taken back
           may be used again. */
        sent++;
        atomic { at(sent).call = sent; at(sent).state = QUEUED }
        if
        :: worker_waits -> worker_waits = false
        :: else
        fi
     :: sent >= head && sent > 0 && !back[sent] ->          /* take the newest back */
        take_back(sent)
     :: head <= sent && !back[head] && wanted[head] && !killed ->
        /* interrupt the head: condemn, then signal; or take it back; or it was answered */
#if MUTANT == 5
        if
        :: at(head).state == TAKEN || at(head).state == RUNNING -> meant = head; killed = true
        :: else
        fi;
#else
        atomic {
          if
          :: at(head).call == head && (at(head).state == TAKEN || at(head).state == RUNNING) ->
             at(head).state = CONDEMNED; meant = head
          :: else
          fi
        }
        if
        :: meant == head -> killed = true
        :: else -> take_back(head)
        fi;
#endif
        wanted[head] = false
     :: sent >= head && (sent == JOBS || sent + 1 - head >= SLOTS) ->
        /* sleep: say so, look again, wait */
        host_waits = true;
#if MUTANT != 2
        if
        :: dead || back[head] || at(head).state == DONE || at(head).state == LAST ||
           (wanted[head] && !killed) -> host_waits = false; goto round
        :: else
        fi;
#endif
        if
        :: !host_waits
        :: wanted[head] && !killed -> host_waits = false     /* the bell: news of another thread */
        fi
     fi;
round: skip
  od;
judge:
  do
  :: head <= JOBS ->
     if
     :: head > sent -> settle(head)                          /* never sent: runs elsewhere */
     :: head <= sent && back[head]
     :: head <= sent && !back[head] ->
        /* queued: runs elsewhere, and must not have run here; else it was with the worker */
        assert(at(head).call == head);
        assert(at(head).state != QUEUED || ran[head] == 0);
        assert(at(head).state != DONE && at(head).state != LAST);
        settle(head)
     fi;
     head++
  :: else -> break
  od;
finished:
  closing = true;
  if
  :: worker_waits -> worker_waits = false
  :: else
  fi;
  dead;                                                      /* waits for its end */
  for (job : 1 .. JOBS) {
    assert(settled[job] == 1)                                /* each job has one outcome */
  }
}

/* Deadlines and cancellations: any job, any time, or never. */
active proctype interrupter() {
  byte job = 1;
  do
  :: job <= JOBS -> if :: wanted[job] = true :: skip fi; job++
  :: else -> break
  od
}
