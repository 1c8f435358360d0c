// OpenMPI beside worker processes: rank 0 gives, the others answer; prints one figure. Its waits
// spin.
//
// Usage: mpirun -np 3 mpi_rival rate|trip|echoN COUNT
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int in_flight = 1024;
constexpr int value_tag = 1;
constexpr int bytes_tag = 2;
constexpr int end_tag = 3;

void serve() {
  std::vector<char> room(std::size_t{64} << 20);
  for (;;) {
    MPI_Status status;
    MPI_Recv(room.data(), static_cast<int>(room.size()), MPI_CHAR, 0, MPI_ANY_TAG, MPI_COMM_WORLD,
             &status);
    if (status.MPI_TAG == end_tag) return;
    int size = 0;
    MPI_Get_count(&status, MPI_CHAR, &size);
    if (status.MPI_TAG == value_tag) ++*reinterpret_cast<int*>(room.data());
    MPI_Send(room.data(), size, MPI_CHAR, 0, status.MPI_TAG, MPI_COMM_WORLD);
  }
}

void give(int value, int to) {
  MPI_Send(&value, sizeof value, MPI_CHAR, to, value_tag, MPI_COMM_WORLD);
}

void take(int from) {
  int value = 0;
  MPI_Recv(&value, sizeof value, MPI_CHAR, from, value_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

double rate(int count, int workers) {
  const double begin = MPI_Wtime();
  int taken = 0;
  for (int given = 0; given < count; ++given) {
    if (given - taken == in_flight) take(1 + taken++ % workers);
    give(given, 1 + given % workers);
  }
  while (taken < count)
    take(1 + taken++ % workers);
  return count / (MPI_Wtime() - begin) / 1e6;
}

double trip(int count) {
  const double begin = MPI_Wtime();
  for (int i = 0; i < count; ++i) {
    give(i, 1);
    take(1);
  }
  return (MPI_Wtime() - begin) * 1e6 / count;
}

double echo(int count, int mib) {
  std::vector<char> bytes(static_cast<std::size_t>(mib) << 20, 'x');
  const int size = static_cast<int>(bytes.size());
  double begin = 0;
  for (int i = -1; i < count; ++i) {
    if (i == 0) begin = MPI_Wtime();
    MPI_Send(bytes.data(), size, MPI_CHAR, 1, bytes_tag, MPI_COMM_WORLD);
    MPI_Recv(bytes.data(), size, MPI_CHAR, 1, bytes_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  return static_cast<double>(size) * count / (MPI_Wtime() - begin) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc != 3 || ranks < 2) MPI_Abort(MPI_COMM_WORLD, 2);
  if (rank != 0) {
    serve();
  } else {
    const std::string what = argv[1];
    const int count = std::atoi(argv[2]);
    const double value = what == "rate"   ? rate(count, ranks - 1)
                         : what == "trip" ? trip(count)
                                          : echo(count, std::atoi(what.c_str() + 4));
    std::printf("%g\n", value);
    for (int each = 1; each < ranks; ++each)
      MPI_Send(&rank, 0, MPI_CHAR, each, end_tag, MPI_COMM_WORLD);
  }
  MPI_Finalize();
  return 0;
}
