/* The queue of one worker, with the store buffer of its owner's CPU. The code is
   executors/brigade/threads/work_deque.hpp; see README.md.

   The owner pushes ITEMS items into SLOTS slots and pops, two thieves steal. What the owner stores
   goes into a buffer first and reaches memory later, while the owner already reads on: that is the
   only reordering of x86. Where a mutant weakens an order further, the buffer loses its own order
   too, as on other CPUs. A compare-and-swap, and a sequentially consistent store, wait until the
   buffer is empty. Growing is left out: the owner pushes only when there is room.

   What is checked: no item is taken twice, and none is lost. */

#define ITEMS 3
#define SLOTS 2
#define TRIES 2

/* MUTANT picks one fault, to see that the check can fail:
   1 pop stores bottom with release only: it may still be in the buffer when top is read
   2 push publishes bottom with relaxed: it may overtake the slot
   3 a thief reads bottom before top
   4 a thief moves top without comparing
   5 pop takes the last item without moving top
   6 a thief reads the slot only after it has won */
#ifndef MUTANT
#define MUTANT 0
#endif

byte top = 1;
byte bottom = 1;
byte slots[SLOTS];
byte taken[ITEMS + 1];
byte thieves_done = 0;

/* The owner's buffer: at most one store for each place. */
bool bottom_waits = false;
byte new_bottom;
bool slot_waits[SLOTS];
byte new_slot[SLOTS];
bool owner_done = false;

#define some_slot_waits (slot_waits[0] || slot_waits[1])
#define buffer_empty (!bottom_waits && !some_slot_waits)

active proctype buffer() {
end:
  do
  :: atomic { slot_waits[0] -> slots[0] = new_slot[0]; slot_waits[0] = false }
  :: atomic { slot_waits[1] -> slots[1] = new_slot[1]; slot_waits[1] = false }
#if MUTANT == 2
  :: atomic { bottom_waits -> bottom = new_bottom; bottom_waits = false }
#else
  :: atomic { bottom_waits && !some_slot_waits -> bottom = new_bottom; bottom_waits = false }
#endif
  od
}

inline take(item) {
  taken[item]++;
  assert(item != 0);
  assert(taken[item] == 1)
}

active proctype owner() {
  byte mine = 1;                 /* bottom: nobody else writes it */
  byte pushed = 0;
  byte seen;
  byte item;
  bool all_popped = false;
  do
  :: pushed < ITEMS ->
     seen = top;
     if
     :: mine - seen < SLOTS ->
        atomic { !slot_waits[mine % SLOTS] ->
          pushed++; new_slot[mine % SLOTS] = pushed; slot_waits[mine % SLOTS] = true }
        atomic { !bottom_waits -> mine++; new_bottom = mine; bottom_waits = true }
#if MUTANT != 2
        buffer_empty                                        /* seq_cst */
#endif
     :: else
     fi
  :: true ->                                                /* pop */
     seen = top;
     if
     :: mine - 1 < seen -> if :: pushed == ITEMS -> break :: else fi
     :: else ->
        atomic { !bottom_waits -> mine--; new_bottom = mine; bottom_waits = true }
#if MUTANT != 1
        buffer_empty;                                       /* seq_cst */
#endif
        seen = top;
        if
        :: seen < mine ->
           item = (slot_waits[mine % SLOTS] -> new_slot[mine % SLOTS] : slots[mine % SLOTS]);
           take(item)
        :: else ->
           if
           :: seen == mine ->
              item = (slot_waits[mine % SLOTS] -> new_slot[mine % SLOTS] : slots[mine % SLOTS]);
#if MUTANT == 5
              take(item)
#else
              buffer_empty;                                 /* a locked instruction */
              atomic {
                if
                :: top == seen -> top++; take(item)
                :: else
                fi
              }
#endif
           :: else
           fi;
           atomic { !bottom_waits -> mine++; new_bottom = mine; bottom_waits = true }
        fi
     fi
  od;
  buffer_empty;
  thieves_done == 2;
  seen = 1;
  do
  :: seen <= ITEMS -> assert(taken[seen] == 1); seen++
  :: else -> break
  od
}

active [2] proctype thief() {
  byte tries = 0;
  byte seen_top;
  byte seen_bottom;
  byte item;
  do
  :: tries < TRIES ->
     tries++;
#if MUTANT == 3
     seen_bottom = bottom;
     seen_top = top;
#else
     seen_top = top;
     seen_bottom = bottom;
#endif
     if
     :: seen_top < seen_bottom ->
#if MUTANT != 6
        item = slots[seen_top % SLOTS];
#endif
        if
        :: atomic { (top == seen_top || MUTANT == 4) -> top = seen_top + 1 }
#if MUTANT == 6
           item = slots[seen_top % SLOTS];
#endif
           take(item)
        :: atomic { top != seen_top && MUTANT != 4 -> skip }
        fi
     :: else
     fi
  :: else -> break
  od;
  thieves_done++
}
