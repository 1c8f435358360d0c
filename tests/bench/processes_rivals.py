"""What the benchmarks of worker processes run of Python; prints one figure.

Usage: processes_rivals.py pool-rate|pool-map|pool-trip|pool-echoN|executor-...|joblib-map COUNT
       processes_rivals.py fork-first|forkserver-first|spawn-first WORKERS     milliseconds
       processes_rivals.py pool-private|pool-pss WORKERS                       MiB of an idle worker
"""
import collections
import concurrent.futures
import multiprocessing
import sys
import time

WORKERS = 2
IN_FLIGHT = 1024


def next_of(x):
    return x + 1


def same(data):
    return data


def rate(submit, count):
    flying = collections.deque()
    start = time.perf_counter()
    for i in range(count):
        if len(flying) == IN_FLIGHT:
            flying.popleft()()
        flying.append(submit(next_of, i))
    while flying:
        flying.popleft()()
    return count / (time.perf_counter() - start) / 1e6


def trip(submit, count):
    for i in range(100):
        submit(next_of, i)()
    start = time.perf_counter()
    for i in range(count):
        submit(next_of, i)()
    return (time.perf_counter() - start) * 1e6 / count


def echo(submit, count, mib):
    data = b"x" * (mib << 20)
    submit(same, data)()
    start = time.perf_counter()
    for _ in range(count):
        submit(same, data)()
    return len(data) * count / (time.perf_counter() - start) / 1e9


def mapped(run, count):
    numbers = list(range(count))
    run(numbers)
    start = time.perf_counter()
    run(numbers)
    return count / (time.perf_counter() - start) / 1e6


def first(method, workers):
    start = time.perf_counter()
    with multiprocessing.get_context(method).Pool(workers) as pool:
        pool.apply(next_of, (1,))
        return (time.perf_counter() - start) * 1e3


def idle_memory(field, workers):
    with multiprocessing.Pool(workers) as pool:
        pool.map(next_of, range(100), 1)
        most = 0
        for child in multiprocessing.active_children():
            with open(f"/proc/{child.pid}/smaps_rollup") as rollup:
                for line in rollup:
                    if line.startswith(field + ":"):
                        most = max(most, int(line.split()[1]))
        return most / 1024


def measure(what, submit, run_map, count):
    if what == "rate":
        return rate(submit, count)
    if what == "trip":
        return trip(submit, count)
    if what == "map":
        return mapped(run_map, count)
    return echo(submit, count, int(what.removeprefix("echo")))


def main():
    who, what = sys.argv[1].split("-")
    count = int(sys.argv[2])
    if what == "first":
        value = first(who, count)
    elif what == "private":
        value = idle_memory("Private_Dirty", count)
    elif what == "pss":
        value = idle_memory("Pss", count)
    elif who == "pool":
        with multiprocessing.Pool(WORKERS) as pool:
            value = measure(what, lambda f, x: pool.apply_async(f, (x,)).get,
                            lambda numbers: pool.map(next_of, numbers), count)
    elif who == "executor":
        with concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
            chunk = max(1, count // (WORKERS * 4))
            value = measure(what, lambda f, x: pool.submit(f, x).result,
                            lambda numbers: list(pool.map(next_of, numbers, chunksize=chunk)),
                            count)
    else:
        import joblib
        with joblib.Parallel(n_jobs=WORKERS) as parallel:
            value = mapped(lambda numbers: parallel(joblib.delayed(next_of)(n) for n in numbers),
                           count)
    print(value)


if __name__ == "__main__":
    main()
