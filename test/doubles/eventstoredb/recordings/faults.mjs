// How @eventstore/db-client behaves while a server on 127.0.0.1:2113 is killed, stopped, silenced and restarted, as JSON lines
// {scenario, step, answer}. Recorded on a real server as faults.jsonl (figures vary from run to run, kinds do not).
//   node faults.mjs START [ARGS…]      START starts the server, waits until it answers, and prints its pid on its last line
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import esdb from '@eventstore/db-client';
const { EventStoreDBClient, jsonEvent, NO_STREAM, ANY, START, streamNameFilter } = esdb;
const [, , start, ...args] = process.argv;
const url = process.env.FAULTS_URL ?? 'esdb://127.0.0.1:2113?tls=false';
const run = randomUUID().slice(0, 8), S = name => `probe_${run}-${name}`;
const sleep = ms => new Promise(r => setTimeout(r, ms));
const scrub = t => String(t).replaceAll(run, 'RUN').replace(/Resolution note:.*$/, '').trim();
const print = (scenario, step, answer) => console.log(scrub(JSON.stringify({ scenario, step, answer }, (_, v) => typeof v === 'bigint' ? `${v}n` : v)));
const failure = e => ({ error: e?.constructor?.name, type: e?.type, code: e?.code, message: scrub(e?.message ?? e).slice(0, 140) || undefined, actual: e?.actualVersion === undefined ? undefined : String(e.actualVersion) });
const within = (promise, ms) => Promise.race([promise.then(v => ({ ok: v }), e => failure(e)), sleep(ms).then(() => `silence for ${ms} ms`)]);
const event = (id, n) => jsonEvent({ id, type: 'desk.probe.v1', data: { n } });
let pid;
const up = () => { pid = Number(execFileSync(start, args, { encoding: 'utf8' }).trim().split('\n').pop()); };
const down = async signal => { process.kill(pid, signal); for (let i = 0; i < 3000; i++) { try { process.kill(pid, 0); } catch { return; } await sleep(20); } throw new Error('the server would not end'); };
const append = (c, stream, id, expectedRevision, extra = {}) => c.appendToStream(stream, event(id, 0), { expectedRevision, ...extra }).then(r => r.nextExpectedRevision);

up();
const client = EventStoreDBClient.connectionString(url);
await append(client, S('warm'), randomUUID(), NO_STREAM);

// repeats across a restart
{ const ids = Object.fromEntries([...'abcdef'].map(k => [k, randomUUID()])), s = S('repeat'); const put = (names, expectedRevision) => within(client.appendToStream(s, [...names].map(n => event(ids[n], n)), { expectedRevision }).then(r => r.nextExpectedRevision), 15000);
  await put('ab', NO_STREAM); await put('c', 1n); await put('d', ANY);
  await down('SIGKILL'); up(); await within(append(client, S('warm2'), randomUUID(), ANY), 15000); await within(append(client, S('warm2'), randomUUID(), ANY), 15000);
  for (const [names, at] of [['ab', NO_STREAM], ['c', 1n], ['ce', 1n], ['f', 1n], ['d', ANY]]) print('repeats after kill -9 and restart', `stored: ab at no_stream, c at 1, d at any; now [${names}] at ${at}`, await put(names, at));
  const stored = []; for await (const e of client.readStream(s)) stored.push(e.event.data.n); print('repeats after kill -9 and restart', 'what is stored', stored.join('')); }

// what is seen when the server dies (SIGKILL) or stops in order (SIGTERM)
for (const signal of ['SIGKILL', 'SIGTERM']) { const scenario = `server gets ${signal}`;
  const sub = client.subscribeToAll({ fromPosition: START, filter: streamNameFilter({ prefixes: ['probe_'] }) }), emitted = [];
  for (const k of ['confirmation', 'caughtUp', 'end', 'close']) sub.on(k, () => emitted.push(k)); sub.on('error', e => emitted.push(failure(e)));
  const loop = (async () => { try { for await (const _ of sub); return 'ended without an error'; } catch (e) { return { threw: failure(e) }; } })(); await sleep(1000);
  const flying = Array.from({ length: 8 }, (_, i) => within(append(client, S(`${signal}${i}`), randomUUID(), NO_STREAM), 20000)); await down(signal);
  print(scenario, 'appends in flight', [...new Set((await Promise.all(flying)).map(a => JSON.stringify(a, (_, v) => typeof v === 'bigint' ? `${v}n` : v)))].map(a => JSON.parse(a)));
  print(scenario, 'append while it is down', await within(append(client, S(`down${signal}`), randomUUID(), NO_STREAM), 20000));
  print(scenario, 'read while it is down', await within((async () => { for await (const _ of client.readStream(S('warm'))); })(), 20000));
  print(scenario, 'the subscription emitted', emitted); print(scenario, 'its loop', await Promise.race([loop, sleep(3000).then(() => 'still waits')]));
  up(); print(scenario, 'the same client after the restart, 3 appends', await Promise.all([1, 2, 3].map(i => within(append(client, S(`again${signal}${i}`), randomUUID(), NO_STREAM), 20000))));
  const n = emitted.length; await sleep(2000); print(scenario, 'the old subscription after the restart emitted', emitted.slice(n)); }

// a server that says nothing (SIGSTOP), for 8 seconds
{ process.kill(pid, 'SIGSTOP'); const id = randomUUID(), s = S('silent');
  print('server silent', 'append with a deadline of 2,000 ms', await within(append(client, s, id, NO_STREAM, { deadline: 2000 }), 8000));
  process.kill(pid, 'SIGCONT'); await sleep(2000); print('server silent', 'same id at the same revision once it answers', await within(append(client, s, id, NO_STREAM), 15000));
  let n = 0; for await (const _ of client.readStream(s)) n++; print('server silent', 'events stored', n); }

// kill -9 under load: 16 writers, each repeating an unknown outcome with the same id at the same revision
{ const rounds = Number(process.env.ROUNDS ?? 20), writers = Array.from({ length: 16 }, (_, i) => ({ stream: S(`load${i}`), ids: [] })), kinds = {}; let stop = false, unknown = 0, repeated = 0, wrong = 0;
  const all = writers.map(async w => { let revision = NO_STREAM; while (!stop) { const id = randomUUID(); for (let tries = 0; ; tries++) { try { revision = await Promise.race([append(client, w.stream, id, revision), sleep(4000).then(() => { throw Object.assign(new Error('own timer'), { type: 'own-timer' }); })]); if (tries) repeated++; w.ids.push(id); break; } catch (e) { const kind = `${e.constructor.name} ${e.type ?? ''} ${e.code ?? ''}`.trim(); kinds[kind] = (kinds[kind] ?? 0) + 1; if (e.type === 'wrong-expected-version') { wrong++; return; } if (!tries) unknown++; await sleep(150); } } } });
  for (let k = 0; k < rounds; k++) { await sleep(300 + Math.random() * 1200); await down('SIGKILL'); up(); } await sleep(1500); stop = true; await Promise.all(all);
  let acked = 0, lost = 0, doubled = 0, extra = 0; for (const w of writers) { const stored = []; for await (const e of client.readStream(w.stream)) stored.push(e.event.id); const set = new Set(stored), mine = new Set(w.ids); acked += w.ids.length; doubled += stored.length - set.size; lost += w.ids.filter(i => !set.has(i)).length; extra += stored.filter(i => !mine.has(i)).length; }
  print('kill -9 under load', `${rounds} kills`, { acked, unknown, repeatedAndAccepted: repeated, wrongExpectedVersion: wrong, lost, doubled, extra, kinds: Object.keys(kinds).sort() }); }
await down('SIGTERM'); process.exit(0);
