// Plays histories through opossum, in time of our own: JSON from standard input, JSON to standard output.
//
// In: {"options": {...}, "histories": [[{"op": "begin", "call": 0} | {"op": "settle", "call": 0, "ok": true}
//      | {"op": "wait", "milliseconds": 250}, ...], ...]}
// Out: for each history, after each of its steps, [state, whether a call would be let through].

import { mock } from 'node:test';
import { text } from 'node:stream/consumers';
import CircuitBreaker from 'opossum';

const { options, histories } = JSON.parse(await text(process.stdin));

const othersHaveRun = () => new Promise((resolve) => setImmediate(resolve));

function seen(breaker) {
  const state = breaker.closed ? 'closed' : breaker.halfOpen ? 'half-open' : 'open';
  return [state, breaker.closed || breaker.pendingClose];
}

async function play(history) {
  const gates = new Map();
  const breaker = new CircuitBreaker(
    (call) => new Promise((resolve, reject) => gates.set(call, { resolve, reject })),
    { ...options },
  );
  const states = [];
  for (const step of history) {
    if (step.op === 'begin') {
      breaker.fire(step.call).catch(() => {});
    } else if (step.op === 'settle') {
      const gate = gates.get(step.call);
      if (step.ok) gate?.resolve();
      else gate?.reject(new Error('failed'));
    } else {
      // Node counts a timer that is set by another one from the end of the whole tick.
      for (let passed = 0; passed < step.milliseconds; passed += 250) mock.timers.tick(250);
    }
    await othersHaveRun();
    states.push(seen(breaker));
  }
  breaker.shutdown();
  return states;
}

const played = [];
for (const history of histories) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  played.push(await play(history));
  mock.timers.reset();
}
console.log(JSON.stringify(played));
