// What the benchmarks of worker processes run of Node: child_process.fork. Prints one figure.
// Usage: processes_rivals.js rate|trip COUNT
const { fork } = require('child_process');

if (process.argv[2] === 'worker') {
  process.on('message', (x) => process.send(x + 1));
} else {
  const trip = process.argv[2] === 'trip';
  const count = Number(process.argv[3]);
  const workers = Array.from({ length: trip ? 1 : 2 }, () => fork(__filename, ['worker']));
  const inFlight = trip ? 1 : 1024;
  let sent = 0;
  let got = 0;
  let start = 0n;
  const push = () => workers[sent++ % workers.length].send(sent);
  const finish = () => {
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    console.log(trip ? (seconds * 1e6) / count : count / seconds / 1e6);
    workers.forEach((each) => each.kill());
  };
  let warm = workers.length;
  workers.forEach((each) => {
    each.on('message', () => {
      if (warm > 0) {
        if (--warm > 0) return;
        start = process.hrtime.bigint();
        sent = 0;
        while (sent < Math.min(inFlight, count)) push();
        return;
      }
      if (++got === count) return finish();
      if (sent < count) push();
    });
    each.send(0);
  });
}
