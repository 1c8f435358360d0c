// brigade::init: the first line of main() in a program that uses worker processes.
//
// The supervisor and its workers are this same program, started again; init recognises them and
// turns them into what they are before anything else of main() has run.
#pragma once

namespace brigade {

// In the program itself: returns at once, having changed nothing. In the supervisor and in a worker
// process: never returns. Call it once, first, with what main() got; what main() does before it is
// also done in those processes.
void init(int argc, char** argv);

}  // namespace brigade
