/* Who sleeps and who wakes whom while a resize takes a worker away: parking.pml once more. The code
   is executors/brigade/threads/resize.cpp; see README.md.

   MUTANT picks one fault, to see that the check can fail:
   6 a worker that leaves does not look whether there is work */

#define LEAVES
#include "parking.pml"
