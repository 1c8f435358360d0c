/* Who sleeps and who wakes whom in the thread pool, with the store buffers of those who post. The
   code is executors/brigade/threads/parking.cpp; see README.md.

   Two outsiders post an item each into the inbox, one of them a second one; two workers take items
   and go to sleep when they find none. One task may last until all others have begun. A plain store of a poster goes into a buffer
   and reaches memory later, while he reads on, as on x86; read-modify-writes do not.

   What is checked: when nothing moves any more, no item is queued (all were taken), and no worker
   is counted as searching. */

#define WORKERS 2
#define POSTERS 2

/* MUTANT picks one fault, to see that the check can fail:
   1 the inbox counts with release only: the count may still be in the buffer when the poster reads
   2 a worker that is about to sleep does not look again
   3 a worker looks before it says that it sleeps
   4 the last searcher that finds something does not look whether there is more
   5 a poster looks who searches before it queues the item */
#ifndef MUTANT
#define MUTANT 0
#endif

/* With LEAVES (leaving.pml) a resize may take one worker away, in its sleep too; there are two items
   then, and no long task. */
#ifdef LEAVES
#define ITEMS 2
#else
#define ITEMS 3
#endif

byte queued = 0;                 /* what the lock of the inbox guards */
byte count = 0;                  /* what is read without the lock */
bool count_waits = false;        /* in a poster's buffer; the lock admits one at a time */
byte new_count;

byte searching = 0;
byte parked_count = 0;
bool parked[WORKERS];            /* the list, under the mutex */
bool signal[WORKERS];
bool mutex = false;
byte posted = 0;
byte taken = 0;
bool endless = (ITEMS == 2);     /* a task that ends only after all have begun: one at most */
bool shrunk = false;             /* the last worker is one too many */

#define lock atomic { !mutex -> mutex = true }
#define unlock mutex = false

active proctype buffer() {
end:
  do
  :: atomic { count_waits -> count = new_count; count_waits = false }
  od
}

inline notify_work() {
  if
  :: searching != 0
  :: else ->
     if
     :: parked_count == 0                  /* all are at work: each looks again before it sleeps */
     :: else ->
        lock;
        if
        :: searching == 0 && parked[0] ->
           parked[0] = false; parked_count--; searching++; chosen = 0
        :: searching == 0 && !parked[0] && parked[1] ->
           parked[1] = false; parked_count--; searching++; chosen = 1
        :: else
        fi;
        unlock;
        if                                 /* the mutex is left before anybody is woken */
        :: chosen < WORKERS -> signal[chosen] = true; chosen = WORKERS
        :: else
        fi
     fi
  fi
}

active [POSTERS] proctype poster() {
  byte left = (_pid == 1 -> ITEMS - 1 : 1);
  bool searched;
  byte chosen = WORKERS;
  do
  :: left > 0 ->
     left--;
#if MUTANT == 5
     searched = (searching != 0);
#else
     searched = false;
#endif
     atomic { !count_waits -> queued++; posted++; new_count = queued; count_waits = true }
#if MUTANT != 1
     !count_waits;                                          /* seq_cst */
#endif
     if
     :: searched
     :: else -> notify_work()
     fi
  :: else -> break
  od
}

#ifdef LEAVES
active proctype resizer() {
  if
  :: atomic {
       !mutex -> shrunk = true;
       if
       :: parked[WORKERS - 1] ->
          parked[WORKERS - 1] = false; parked_count--; searching++; signal[WORKERS - 1] = true
       :: else
       fi
     }
  :: skip
  fi
}
#endif

active [WORKERS] proctype worker() {
  #ifdef LEAVES
  byte me = _pid - 2 - POSTERS;
#else
  byte me = _pid - 1 - POSTERS;
#endif
  bool looking = false;
  bool visible;
  byte chosen = WORKERS;
  do
  :: shrunk && me == WORKERS - 1 ->                         /* sit_out */
     atomic {
       if
       :: !looking -> searching++
       :: else
       fi
     }
     atomic { searching--; visible = (searching == 0) }
#if MUTANT != 6
     if
     :: visible && count > 0 -> notify_work()
     :: else
     fi;
#endif
     break
  :: !(shrunk && me == WORKERS - 1) ->                      /* take */
     if
     :: atomic { queued > 0 && !count_waits && count > 0 -> queued--; count = queued; taken++ }
        if
        :: looking ->                                       /* stop_searching */
           looking = false;
           atomic { searching--; visible = (searching == 0) }
#if MUTANT != 4
           if
           :: visible && count > 0 -> notify_work()
           :: else
           fi
#endif
        :: else
        fi;
        if                                                  /* the task: short, or waits for all */
        :: skip
        :: atomic { !endless -> endless = true } taken == ITEMS
        fi
     :: !(queued > 0 && !count_waits && count > 0) ->
        if
        :: !looking -> searching++; looking = true          /* look once more, as a searcher */
        :: else ->                                          /* park */
#if MUTANT == 3
           visible = (count > 0);
#endif
           lock;
           parked[me] = true;
           parked_count++;
           searching--;
           looking = false;
           unlock;
#if MUTANT != 3
           visible = (count > 0);
#endif
#if MUTANT == 2
           visible = false;
#endif
           if
           :: visible ->
              lock;
              if
              :: parked[me] -> parked[me] = false; parked_count--; searching++; looking = true
              :: else
              fi;
              unlock
           :: else
           fi;
           if
           :: looking
           :: else ->
end:          atomic { signal[me] -> signal[me] = false; looking = true }
           fi
        fi
     fi
  od
}

active proctype judge() {
  timeout -> assert(taken == ITEMS); assert(searching == 0)
}
