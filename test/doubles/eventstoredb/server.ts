import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import grpc, {
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import pb from '@eventstore/db-client/generated/streams_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { faultsOf, NO_FAULTS, type Faults } from './faults.js';
import {
  APPEND_LIMIT,
  Store,
  TOMBSTONE,
  type Answer,
  type Event,
  type Expected,
  type Proposed,
} from './store.js';

const { status: codes } = grpc;
/** Events considered before a filtered subscription may tell where it stands, unless the client says otherwise. */
const WINDOW = 32;
/** Milliseconds without a write after which an orderly stop goes on. */
const QUIET_BEFORE_STOP = 250;
/** What the server gives a write at most, milliseconds. */
const WRITE_TIMEOUT = 2_000;

export interface User {
  readonly password: string;
  readonly groups: readonly string[];
}

export interface ServerOptions {
  readonly store: Store;
  readonly port: number;
  /** PEM; without them it speaks plain text. */
  readonly tls?: { readonly key: Buffer; readonly certificate: Buffer };
  /** By name; without them everybody may do everything, as on an insecure node. */
  readonly users?: Readonly<Record<string, User>>;
}

type Read = ServerWritableStream<pb.ReadReq, pb.ReadResp>;
type Batch = ServerDuplexStream<pb.BatchAppendReq, pb.BatchAppendResp>;

/** EventStoreDB's gRPC services `Streams` and `ServerFeatures` over a Store, with faults to order. */
export class DoubleServer {
  faults: Faults = NO_FAULTS;
  port = 0;
  private readonly server = new grpc.Server({
    'grpc.max_receive_message_length': 17 * 1024 * 1024,
    'grpc.max_send_message_length': 17 * 1024 * 1024,
  });
  private readonly open = new Set<Read | Batch>();
  private pending = 0;
  private lastWrite = 0;
  /** Ids of appends whose repeat is told a wrong expected version. */
  private readonly disowned = new Set<string>();

  constructor(private readonly options: ServerOptions) {
    this.server.addService(streamsService.StreamsService as unknown as grpc.ServiceDefinition, {
      read: (call: Read) => void this.read(call),
      batchAppend: (call: Batch) => this.batchAppend(call),
      append: (
        call: ServerReadableStream<pb.AppendReq, pb.AppendResp>,
        answer: sendUnaryData<pb.AppendResp>,
      ) => void this.append(call, answer),
      delete: (call: ServerUnaryCall<pb.DeleteReq, pb.DeleteResp>, answer: sendUnaryData<pb.DeleteResp>) =>
        this.delete(call, answer),
      tombstone: (
        call: ServerUnaryCall<pb.TombstoneReq, pb.TombstoneResp>,
        answer: sendUnaryData<pb.TombstoneResp>,
      ) => this.tombstone(call, answer),
    });
    this.server.addService(featuresService.ServerFeaturesService as unknown as grpc.ServiceDefinition, {
      getSupportedMethods: (
        call: ServerUnaryCall<shared.Empty, features.SupportedMethods>,
        answer: sendUnaryData<features.SupportedMethods>,
      ) => this.supportedMethods(call, answer),
    });
  }

  async listen(): Promise<void> {
    const { tls, port } = this.options;
    const credentials = tls
      ? grpc.ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.certificate }])
      : grpc.ServerCredentials.createInsecure();
    this.port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
  }

  /** @throws Error naming what is no fault */
  order(wishes: Readonly<Record<string, unknown>>): void {
    this.faults = faultsOf(this.faults, wishes);
    this.options.store.clockOffset = this.faults.clockOffset;
  }

  /** Every connection breaks at once. */
  drop(): void {
    const { sessions } = this.server as unknown as { sessions: Map<{ destroy(): void }, unknown> };
    for (const session of [...sessions.keys()]) session.destroy();
  }

  /** What is in flight or on its way is answered; subscriptions end without a status, as the real server ends them. */
  async stop(): Promise<void> {
    this.lastWrite = performance.now();
    while (this.pending > 0 || performance.now() < this.lastWrite + QUIET_BEFORE_STOP)
      await new Promise((resolve) => setTimeout(resolve, 10));
    for (const call of this.open) streamOf(call)?.close(0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    this.server.forceShutdown();
    await this.options.store.close();
  }

  private supportedMethods(
    call: ServerUnaryCall<shared.Empty, features.SupportedMethods>,
    answer: sendUnaryData<features.SupportedMethods>,
  ): void {
    if (this.faults.silent !== 'no') return;
    if (this.faults.capabilities !== 0)
      return answer({ code: this.faults.capabilities, details: 'Exception was thrown by handler.' });
    const refusal = this.refusal(call, null);
    if (refusal) return answer(refusal);
    const methods = new features.SupportedMethods().setEventStoreServerVersion('23.10.8');
    for (const [name, its] of [
      ['read', ['position', 'events']],
      ['append', []],
      ['delete', []],
      ['tombstone', []],
      ['batchappend', ['deadline_duration']],
    ] as const)
      methods.addMethods(
        new features.SupportedMethod()
          .setServiceName('event_store.client.streams.streams')
          .setMethodName(name)
          .setFeaturesList([...its]),
      );
    answer(null, methods);
  }

  private batchAppend(call: Batch): void {
    const growing = new Map<string, { options: pb.BatchAppendReq.Options; events: Proposed[] }>();
    this.keep(call);
    call.on('error', () => {});
    call.on('end', () => call.end());
    call.on('data', (request: pb.BatchAppendReq) => {
      const wrong = this.wrongPassword(call);
      if (wrong) return void call.emit('error', wrong);
      const id = uuidOf(request.getCorrelationId()!);
      const options = request.getOptions();
      if (options) growing.set(id, { options, events: [] });
      const append = growing.get(id);
      if (!append) return;
      append.events.push(...request.getProposedMessagesList().map(proposed));
      if (!request.getIsFinal()) return;
      growing.delete(id);
      if (this.faults.silent === 'requests') return;

      const stream = textOf(append.options.getStreamIdentifier()!);
      const expected = batchExpected(append.options);
      const answer = (response: pb.BatchAppendResp): void => {
        response.setCorrelationId(request.getCorrelationId()).setStreamIdentifier(identifier(stream));
        if (this.faults.silent !== 'no') return;
        const say = (): void => {
          if (!call.cancelled && !call.destroyed) call.write(response);
        };
        if (this.faults.delay > 0) setTimeout(say, this.faults.delay);
        else say();
      };
      if (this.refusal(call, stream)) return answer(failed('AccessDenied', new shared.AccessDenied()));
      const deadline = append.options.getDeadline()?.toDate().getTime() ?? Infinity;
      if (Math.min(deadline - Date.now(), WRITE_TIMEOUT) <= 0)
        return answer(failed('Timeout', new shared.Timeout()));
      this.write(stream, expected, append.events, (result) =>
        answer(
          result === 'timeout' ? failed('Timeout', new shared.Timeout()) : batchAnswer(result, expected),
        ),
      );
    });
  }

  private async append(
    call: ServerReadableStream<pb.AppendReq, pb.AppendResp>,
    answer: sendUnaryData<pb.AppendResp>,
  ): Promise<void> {
    let options: pb.AppendReq.Options | undefined;
    const events: Proposed[] = [];
    for await (const request of call as AsyncIterable<pb.AppendReq>) {
      options = request.getOptions() ?? options;
      const message = request.getProposedMessage();
      if (message) events.push(proposed(message));
    }
    if (this.faults.silent === 'requests') return;
    const stream = textOf(options!.getStreamIdentifier()!);
    const refusal = this.refusal(call, stream);
    if (refusal) return answer(refusal);
    const expected = appendExpected(options!);
    this.write(stream, expected, events, (result) => {
      if (this.faults.silent !== 'no') return;
      if (result === 'timeout') return answer({ code: codes.ABORTED, details: 'Operation timed out' });
      unaryAnswer(stream, result, expected, answer);
    });
  }

  /** With the faults of writing. */
  private write(
    stream: string,
    expected: Expected,
    events: readonly Proposed[],
    done: (answer: Answer | 'timeout') => void,
  ): void {
    const { store } = this.options;
    const first = events[0]?.id;
    if (first !== undefined && this.disowned.delete(first)) {
      const read = store.readStream(stream, 'end', 1, true);
      const actual = read.is === 'events' ? (read.events[0]?.revision ?? -1) : -1;
      return done({ is: 'wrong-expected-version', actual });
    }
    if (this.faults.timeouts > 0) {
      this.faults = { ...this.faults, timeouts: this.faults.timeouts - 1 };
      if (this.faults.timeoutsStored) store.write(stream, expected, events, () => done('timeout'));
      else done('timeout');
      return;
    }
    const losing = this.faults.lostThenWrong > 0;
    if (losing) this.faults = { ...this.faults, lostThenWrong: this.faults.lostThenWrong - 1 };
    this.pending++;
    this.lastWrite = performance.now();
    store.write(stream, expected, events, (answer) => {
      this.pending--;
      if (losing && first !== undefined) {
        this.disowned.add(first);
        return this.drop();
      }
      done(answer);
    });
  }

  private delete(
    call: ServerUnaryCall<pb.DeleteReq, pb.DeleteResp>,
    answer: sendUnaryData<pb.DeleteResp>,
  ): void {
    const options = call.request.getOptions()!;
    this.remove(call, options, false, answer, (position) =>
      new pb.DeleteResp().setPosition(
        new pb.DeleteResp.Position().setCommitPosition(position).setPreparePosition(position),
      ),
    );
  }

  private tombstone(
    call: ServerUnaryCall<pb.TombstoneReq, pb.TombstoneResp>,
    answer: sendUnaryData<pb.TombstoneResp>,
  ): void {
    const options = call.request.getOptions()!;
    this.remove(call, options, true, answer, (position) =>
      new pb.TombstoneResp().setPosition(
        new pb.TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position),
      ),
    );
  }

  private remove<R>(
    call: grpc.ServerUnaryCall<unknown, R>,
    options: pb.DeleteReq.Options | pb.TombstoneReq.Options,
    hard: boolean,
    answer: sendUnaryData<R>,
    success: (position: string) => R,
  ): void {
    if (this.faults.silent !== 'no') return;
    const stream = textOf(options.getStreamIdentifier()!);
    const refusal = this.refusal(call, stream);
    if (refusal) return answer(refusal);
    const expected = options.hasRevision()
      ? Number(options.getRevision())
      : options.hasNoStream()
        ? 'no_stream'
        : options.hasStreamExists()
          ? 'stream_exists'
          : 'any';
    this.options.store.delete(stream, expected, hard, (result) =>
      result.is === 'done'
        ? answer(null, success(String(result.position)))
        : answer(statusOf(stream, result, expected)),
    );
  }

  private async read(call: Read): Promise<void> {
    this.keep(call);
    call.on('error', () => {});
    if (this.faults.silent === 'requests' || this.faults.silent === 'answers') return;
    const options = call.request.getOptions()!;
    const stream = options.hasStream() ? textOf(options.getStream()!.getStreamIdentifier()!) : '$all';
    const refusal = this.refusal(call, stream);
    if (refusal) return void call.emit('error', refusal);
    if (options.hasSubscription())
      await (options.hasStream() ? this.followStream(call, stream) : this.followAll(call));
    else if (options.hasStream()) await this.readStream(call, stream);
    else await this.readAll(call);
  }

  private async readStream(call: Read, stream: string): Promise<void> {
    const options = call.request.getOptions()!;
    const from = options.getStream()!;
    const backwards = options.getReadDirection() === pb.ReadReq.Options.ReadDirection.BACKWARDS;
    const revision = from.hasEnd() ? 'end' : from.hasStart() ? 0 : Number(from.getRevision());
    const read = this.options.store.readStream(stream, revision, Number(options.getCount()), backwards);
    switch (read.is) {
      case 'not-found':
        call.write(
          new pb.ReadResp().setStreamNotFound(
            new pb.ReadResp.StreamNotFound().setStreamIdentifier(identifier(stream)),
          ),
        );
        break;
      case 'deleted':
        return void call.emit('error', deletedStatus(stream));
      case 'events':
        for (const event of read.events) await this.send(call, eventMessage(event, options));
        break;
    }
    call.end();
  }

  private async readAll(call: Read): Promise<void> {
    const { store } = this.options;
    const options = call.request.getOptions()!;
    const backwards = options.getReadDirection() === pb.ReadReq.Options.ReadDirection.BACKWARDS;
    const from = options.getAll()!;
    const position = from.hasPosition() ? Number(from.getPosition()!.getCommitPosition()) : null;
    if (position !== null && !store.isPlace(position)) return void call.emit('error', badPosition());
    const matches = matcher(options);
    const start = from.hasEnd() ? store.length : position === null ? 0 : store.indexFrom(position);
    const length = store.length;
    let left = Number(options.getCount());
    if (backwards) {
      for (let i = start - 1; i >= 0 && left > 0 && !call.cancelled; i--)
        if (matches(store.at(i)) && left-- > 0) await this.send(call, eventMessage(store.at(i), options));
    } else {
      for (let i = start; i < length && left > 0 && !call.cancelled; i++)
        if (matches(store.at(i)) && left-- > 0) await this.send(call, eventMessage(store.at(i), options));
    }
    call.end();
  }

  private async followStream(call: Read, stream: string): Promise<void> {
    const { store } = this.options;
    const options = call.request.getOptions()!;
    const from = options.getStream()!;
    const revisionOf = (): number => {
      const last = store.readStream(stream, 'end', 1, true);
      return last.is === 'events' ? (last.events[0]?.revision ?? -1) : -1;
    };
    let revision = from.hasEnd() ? revisionOf() : from.hasStart() ? -1 : Number(from.getRevision());
    await this.send(call, confirmation());
    let caughtUp = false;
    await this.following(call, async () => {
      const read = store.readStream(stream, revision + 1, Infinity, false);
      if (read.is === 'deleted') return void call.emit('error', deletedStatus(stream));
      for (const event of read.is === 'events' ? read.events : []) {
        await this.send(call, eventMessage(event, options));
        revision = event.revision;
      }
      if (!caughtUp) await this.send(call, new pb.ReadResp().setCaughtUp(new pb.ReadResp.CaughtUp()));
      caughtUp = true;
    });
  }

  /**
   * Catch-up goes by pages of so many considered events, the start included; where a page has filled the
   * interval a checkpoint follows it. Live, the count begins anew.
   */
  private async followAll(call: Read): Promise<void> {
    const { store } = this.options;
    const options = call.request.getOptions()!;
    const from = options.getAll()!;
    const filter = options.getFilter();
    const window = filter?.hasMax() ? filter.getMax() : WINDOW;
    const interval = filter ? window * filter.getCheckpointintervalmultiplier() : Infinity;
    const matches = matcher(options);
    const after = from.hasPosition() ? Number(from.getPosition()!.getCommitPosition()) : null;
    if (after !== null && !store.isPlace(after)) return void call.emit('error', badPosition());
    await this.send(call, confirmation());

    // Beyond the end it is live at once, and then takes what comes, wherever that lies.
    const atEnd = from.hasEnd() || (after !== null && store.isBeyondEnd(after));
    let next = atEnd ? store.length : after === null ? 0 : store.indexFrom(after + 1);
    let considered = 0;
    let page = after !== null && !atEnd ? 1 : 0;
    let live = false;
    await this.following(call, async () => {
      while (next < store.length && !call.cancelled) {
        const size = Math.min(live ? store.length - next : window - page, store.length - next);
        const events = Array.from({ length: size }, (_, i) => store.at(next + i));
        next += size;
        const messages: pb.ReadResp[] = [];
        const checkpoints: pb.ReadResp[] = [];
        for (const event of events) {
          if (matches(event)) messages.push(eventMessage(event, options));
          if (live && ++considered % interval === 0) {
            const reached = checkpoint(event);
            messages.push(reached);
            checkpoints.push(reached);
          }
        }
        if (!live) {
          page += size;
          if (page === window) {
            considered += page;
            page = 0;
            if (considered >= interval) {
              considered %= interval;
              const reached = checkpoint(events.at(-1)!);
              messages.push(reached);
              checkpoints.push(reached);
            }
          }
        }
        const inOrder = this.faults.earlyCheckpoints
          ? [...checkpoints, ...messages.filter((message) => !checkpoints.includes(message))]
          : messages;
        for (const message of inOrder) await this.send(call, message);
      }
      if (live) return;
      live = true;
      considered = 0;
      await this.send(call, new pb.ReadResp().setCaughtUp(new pb.ReadResp.CaughtUp()));
    });
  }

  /** Looks once, and again after every commit, until the client leaves. */
  private async following(call: Read, look: () => Promise<void>): Promise<void> {
    let news = true;
    let wake = (): void => {};
    const rouse = (): void => {
      news = true;
      wake();
    };
    const unwatch = this.options.store.watch(rouse);
    call.on('cancelled', rouse);
    call.on('close', rouse);
    try {
      while (!call.cancelled && !call.destroyed) {
        if (news && !this.faults.stalled) {
          news = false;
          await look();
        } else if (this.faults.stalled) await new Promise((resolve) => setTimeout(resolve, 20));
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      unwatch();
    }
  }

  private async send(call: Read, message: pb.ReadResp): Promise<void> {
    while (this.faults.stalled && !call.cancelled) await new Promise((resolve) => setTimeout(resolve, 20));
    if (call.cancelled || call.destroyed) return;
    if (!call.write(message))
      await Promise.race([once(call, 'drain'), once(call, 'cancelled'), once(call, 'close')]);
  }

  private keep(call: Read | Batch): void {
    this.open.add(call);
    const forget = (): void => void this.open.delete(call);
    call.on('close', forget);
    call.on('finish', forget);
    call.on('cancelled', forget);
  }

  private wrongPassword(
    call: grpc.ServerUnaryCall<unknown, unknown> | Batch | Read,
  ): grpc.ServiceError | null {
    if (this.faults.denied === Number(codes.UNAUTHENTICATED)) return serviceError(codes.UNAUTHENTICATED, '');
    const given = credentialsOf(call);
    const { users } = this.options;
    if (!users || given === null) return null;
    const user = users[given.name];
    return user?.password === given.password ? null : serviceError(codes.UNAUTHENTICATED, '');
  }

  /** Why this caller may not touch this stream; `null` is every call's own business. */
  private refusal(
    call: Pick<grpc.ServerUnaryCall<unknown, unknown>, 'metadata'>,
    stream: string | null,
  ): grpc.ServiceError | null {
    const wrong = this.wrongPassword(call as Read);
    if (wrong) return wrong;
    const denied = serviceError(codes.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
    if (this.faults.denied !== 0) return denied;
    if (stream === null) return null;
    if (stream === '$all' && this.faults.allDenied) return denied;
    const { users, store } = this.options;
    if (!users) return null;
    const given = credentialsOf(call as Read);
    if (given === null) return denied;
    const mine = [given.name, ...users[given.name]!.groups];
    if (mine.includes('$admins') || !stream.startsWith('$')) return null;
    return store.readers(stream)?.some((role) => mine.includes(role)) ? null : denied;
  }
}

function streamOf(call: unknown): { close(code: number): void } | undefined {
  return (call as { call?: { stream?: { close(code: number): void } } }).call?.stream;
}

function credentialsOf(call: {
  readonly metadata: grpc.Metadata;
}): { name: string; password: string } | null {
  const [header] = call.metadata.get('authorization');
  const encoded = /^Basic (.+)$/.exec(String(header ?? ''))?.[1];
  if (encoded === undefined) return null;
  const [name, ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
  return { name: name!, password: rest.join(':') };
}

function serviceError(
  code: number,
  details: string,
  more: Readonly<Record<string, string>> = {},
): grpc.ServiceError {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(more)) metadata.set(key, value);
  return Object.assign(new Error(details), { code, details, metadata });
}

const badPosition = (): grpc.ServiceError => serviceError(codes.UNKNOWN, 'Exception was thrown by handler.');

const deletedStatus = (stream: string): grpc.ServiceError =>
  serviceError(codes.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

function statusOf(
  stream: string,
  answer: Exclude<Answer, { is: 'done' }>,
  expected: Expected,
): grpc.ServiceError {
  switch (answer.is) {
    case 'stream-deleted':
      return deletedStatus(stream);
    case 'too-large':
      return serviceError(codes.INVALID_ARGUMENT, `Maximum Append Size of ${APPEND_LIMIT} Exceeded.`, {
        exception: 'maximum-append-size-exceeded',
        'maximum-append-size': String(APPEND_LIMIT),
      });
    case 'wrong-expected-version':
      return serviceError(codes.FAILED_PRECONDITION, 'WrongExpectedVersion', {
        exception: 'wrong-expected-version',
        'stream-name': stream,
        'expected-version': String(typeof expected === 'number' ? expected : -1),
        ...(answer.actual >= 0 && { 'actual-version': String(answer.actual) }),
      });
  }
}

function identifier(stream: string): shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
}

const textOf = (name: shared.StreamIdentifier): string => Buffer.from(name.getStreamName_asU8()).toString();

function uuidOf(uuid: shared.UUID): string {
  const structured = uuid.getStructured();
  if (!structured) return uuid.getString();
  const hex = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
    .map((bits) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0'))
    .join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function proposed(message: pb.BatchAppendReq.ProposedMessage | pb.AppendReq.ProposedMessage): Proposed {
  const metadata = message.getMetadataMap();
  return {
    id: uuidOf(message.getId()!),
    type: metadata.get('type')!,
    isJson: metadata.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

function batchExpected(options: pb.BatchAppendReq.Options): Expected {
  if (options.hasStreamPosition()) return Number(options.getStreamPosition());
  return options.hasNoStream() ? 'no_stream' : options.hasStreamExists() ? 'stream_exists' : 'any';
}

function appendExpected(options: pb.AppendReq.Options): Expected {
  if (options.hasRevision()) return Number(options.getRevision());
  return options.hasNoStream() ? 'no_stream' : options.hasStreamExists() ? 'stream_exists' : 'any';
}

function batchAnswer(answer: Answer, expected: Expected): pb.BatchAppendResp {
  switch (answer.is) {
    case 'done': {
      const position = String(answer.position);
      return new pb.BatchAppendResp().setSuccess(
        new pb.BatchAppendResp.Success()
          .setCurrentRevision(String(answer.revision))
          .setPosition(
            new shared.AllStreamPosition().setCommitPosition(position).setPreparePosition(position),
          ),
      );
    }
    case 'stream-deleted':
      return failed('StreamDeleted', new shared.StreamDeleted());
    case 'too-large':
      return failed(
        'MaximumAppendSizeExceeded',
        new shared.MaximumAppendSizeExceeded().setMaxappendsize(APPEND_LIMIT),
      );
    case 'wrong-expected-version': {
      const details = new shared.WrongExpectedVersion();
      if (answer.actual >= 0) details.setCurrentStreamRevision(String(answer.actual));
      else details.setCurrentNoStream(new emptyPb.Empty());
      if (typeof expected === 'number') details.setExpectedStreamPosition(String(expected));
      else if (expected === 'no_stream') details.setExpectedNoStream(new emptyPb.Empty());
      else if (expected === 'stream_exists') details.setExpectedStreamExists(new emptyPb.Empty());
      else details.setExpectedAny(new emptyPb.Empty());
      return failed('WrongExpectedVersion', details);
    }
  }
}

function failed(name: string, details: { serializeBinary(): Uint8Array }): pb.BatchAppendResp {
  const any = new anyPb.Any();
  any.pack(details.serializeBinary(), `event_store.client.${name}`);
  return new pb.BatchAppendResp().setError(new status.Status().setMessage(name).setDetails(any));
}

function unaryAnswer(
  stream: string,
  answer: Answer,
  expected: Expected,
  send: sendUnaryData<pb.AppendResp>,
): void {
  if (answer.is === 'done') {
    const position = String(answer.position);
    send(
      null,
      new pb.AppendResp().setSuccess(
        new pb.AppendResp.Success()
          .setCurrentRevision(String(answer.revision))
          .setPosition(new pb.AppendResp.Position().setCommitPosition(position).setPreparePosition(position)),
      ),
    );
  } else if (answer.is === 'wrong-expected-version') {
    const wrong = new pb.AppendResp.WrongExpectedVersion();
    if (answer.actual >= 0) wrong.setCurrentRevision(String(answer.actual));
    else wrong.setCurrentNoStream(new shared.Empty());
    if (typeof expected === 'number') wrong.setExpectedRevision(String(expected));
    else if (expected === 'no_stream') wrong.setExpectedNoStream(new shared.Empty());
    else if (expected === 'stream_exists') wrong.setExpectedStreamExists(new shared.Empty());
    else wrong.setExpectedAny(new shared.Empty());
    send(null, new pb.AppendResp().setWrongExpectedVersion(wrong));
  } else send(statusOf(stream, answer, expected));
}

function matcher(options: pb.ReadReq.Options): (event: Event) => boolean {
  const filter = options.getFilter();
  if (!filter) return () => true;
  const on = filter.getStreamIdentifier() ?? filter.getEventType()!;
  const text = (event: Event): string => (filter.hasStreamIdentifier() ? event.stream : event.type);
  const prefixes = on.getPrefixList();
  if (on.getRegex() === '') return (event) => prefixes.some((prefix) => text(event).startsWith(prefix));
  const regex = new RegExp(on.getRegex());
  return (event) => regex.test(text(event));
}

const confirmation = (): pb.ReadResp =>
  new pb.ReadResp().setConfirmation(
    new pb.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID()),
  );

function checkpoint({ position }: Event): pb.ReadResp {
  return new pb.ReadResp().setCheckpoint(
    new pb.ReadResp.Checkpoint().setCommitPosition(String(position)).setPreparePosition(String(position)),
  );
}

function eventMessage(event: Event, options: pb.ReadReq.Options): pb.ReadResp {
  const recorded = new pb.ReadResp.ReadEvent.RecordedEvent();
  const position = String(event.position);
  recorded
    .setId(uuidMessage(event.id, options.getUuidOption()))
    .setStreamIdentifier(identifier(event.stream))
    .setStreamRevision(event.revision === TOMBSTONE ? '9223372036854775807' : String(event.revision))
    .setCommitPosition(position)
    .setPreparePosition(position)
    .setCustomMetadata(event.metadata)
    .setData(event.data);
  recorded
    .getMetadataMap()
    .set('type', event.type)
    .set('created', String(event.created))
    .set('content-type', event.isJson ? 'application/json' : 'application/octet-stream');
  const read = new pb.ReadResp.ReadEvent().setEvent(recorded);
  // A stream that was read tells no position of its own.
  if (options.hasAll()) read.setCommitPosition(position);
  else read.setNoPosition(new shared.Empty());
  return new pb.ReadResp().setEvent(read);
}

function uuidMessage(id: string, option: pb.ReadReq.Options.UUIDOption | undefined): shared.UUID {
  if (!option?.hasStructured()) return new shared.UUID().setString(id);
  const hex = id.replaceAll('-', '');
  const signed = (part: string): string => BigInt.asIntN(64, BigInt(`0x${part}`)).toString();
  return new shared.UUID().setStructured(
    new shared.UUID.Structured()
      .setMostSignificantBits(signed(hex.slice(0, 16)))
      .setLeastSignificantBits(signed(hex.slice(16))),
  );
}
