import { Controller, Get, Param, Query as QueryParam, Res } from '@nestjs/common';
import { BUILT_INS, policyStream } from '#domain/sla';
import {
  decodePolicyEvents,
  policyStory,
  previewPage,
  supposing,
  versionInForce,
  type PolicyStory,
} from '#engine/policies';
import type { Sealed } from '#engine/store';
import { later, toInstant, type Instant, type PersonId, type Position, type Uuid } from '#kernel';
import {
  After,
  badInput,
  cursorOf,
  etagOf,
  House,
  IdOf,
  notFound,
  openTickets,
  Params,
  POSITION_HEADER,
  Query,
  ticketState,
  type EdgeReply,
} from '#edge';
import { instantFrom } from '../requests/instant.js';
import { demandWhole, Reading } from '../reading/reading.js';
import type { Texts } from '../reading/texts.js';
import type { People } from '../tickets/present.js';
import {
  PoliciesAnswer,
  PolicyAnswer,
  PreviewAnswer,
  ProposalAnswer,
  VersionAnswer,
} from './policy-answers.js';
import { isPreviewPlace } from './preview-pages.js';
import { knownPolicy } from './policy-names.js';
import {
  personsOfProposal,
  personsOfVersion,
  policySummary,
  proposalAnswer,
  proposalSummary,
  versionAnswer,
  versionSummary,
} from './present.js';

/** Policies as the log has them, a few streams read whole; persons' names as the views have them. */
@Controller('v1/policies')
export class PolicyQueries {
  constructor(
    private readonly house: House,
    private readonly reading: Reading,
  ) {}

  @Get()
  @Query('policies.list', 'v1/policies', {
    summary: 'List the policies',
    answer: PoliciesAnswer,
    tag: 'policies',
  })
  async list(
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    new Params(query).done();
    const position = await this.reading.upTo(after);
    const now = await this.now();
    const stories = await Promise.all(BUILT_INS.map((name) => this.story(name)));
    void reply.header(POSITION_HEADER, position);
    return { items: stories.map((story) => policySummary(story, now)) };
  }

  @Get(':name')
  @Query('policies.read', 'v1/policies/:name', {
    summary: 'A policy: the version in force, all versions, and what is proposed',
    answer: PolicyAnswer,
    tag: 'policies',
    etag: true,
  })
  async read(
    @Param('name') name: string,
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    new Params(query).done();
    const { story, position } = await this.asked(name, after);
    const inForce = versionInForce(story, await this.now());
    const pending = story.proposals.filter(({ status }) => status === 'pending');
    const [people, texts] = await this.named(
      [
        ...story.versions.flatMap((each) => [...personsOfVersion(each)]),
        ...pending.flatMap((each) => [...personsOfProposal(each)]),
      ],
      pending.map(({ comment }) => comment),
    );
    void reply.headers({ [POSITION_HEADER]: position, etag: etagOf(story.etag) });
    return {
      name,
      inForce: inForce && versionAnswer(inForce, people, texts),
      versions: story.versions.map((each) => versionSummary(each, people, texts)),
      proposals: pending.map((each) => proposalSummary(each, people, texts)),
    };
  }

  @Get(':name/versions/:version')
  @Query('policies.version', 'v1/policies/:name/versions/:version', {
    summary: 'What a version of a policy says',
    about: '`{version}` is its number.',
    answer: VersionAnswer,
    tag: 'policies',
    etag: true,
  })
  async version(
    @Param('name') name: string,
    @Param('version') number: string,
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    new Params(query).done();
    const { story, position } = await this.asked(name, after);
    const told = story.versions.find(({ version }) => String(version) === number);
    if (!told) throw notFound();
    const [people, texts] = await this.named([...personsOfVersion(told)], []);
    void reply.headers({ [POSITION_HEADER]: position, etag: etagOf(story.etag) });
    return versionAnswer(told, people, texts);
  }

  @Get(':name/proposals/:id')
  @Query('policies.proposal', 'v1/policies/:name/proposals/:id', {
    summary: 'A proposal, decided or not',
    answer: ProposalAnswer,
    tag: 'policies',
    etag: true,
  })
  async proposal(
    @Param('name') name: string,
    @Param('id', IdOf) id: Uuid,
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    new Params(query).done();
    const { story, position, told } = await this.proposed(name, id, after);
    const [people, texts] = await this.named([...personsOfProposal(told)], [told.comment]);
    void reply.headers({ [POSITION_HEADER]: position, etag: etagOf(story.etag) });
    return proposalAnswer(name, told, people, texts);
  }

  @Get(':name/proposals/:id/preview')
  @Query('policies.preview', 'v1/policies/:name/proposals/:id/preview', {
    summary: 'What a proposal would do to the tickets that are open',
    about:
      'How many of their due instants would move, by how much, and which, were it activated with `openTickets` `retarget`; with `keep` none would. Each ticket is decided on as it will be then, by its own history. Promises that are broken by then stay broken and are not counted. The answer holds at least everything up to the position in the header; the summary stands on the first page only, and each page is computed anew.',
    answer: PreviewAnswer,
    tag: 'policies',
    paged: true,
    filters: [
      { name: 'effective', about: 'From when on it would be in force, an instant; now unless given.' },
    ],
  })
  async preview(
    @Param('name') name: string,
    @Param('id', IdOf) id: Uuid,
    @QueryParam() query: unknown,
    @After() after: Position | undefined,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<object> {
    const params = new Params(query);
    const given = params.text('effective');
    const limit = params.limit();
    const from = params.cursor(isPreviewPlace);
    params.done();
    const asked = given === undefined ? null : instantFrom(given);
    if (given !== undefined && asked === null)
      throw badInput([{ field: 'effective', problem: 'must be an instant as in RFC 3339' }]);
    const { position, told } = await this.proposed(name, id, after);
    const now = await this.now();
    if (asked !== null && asked < now)
      throw badInput([{ field: 'effective', problem: 'must not have passed' }]);
    const at = from?.[1] ?? asked ?? now;
    const supposed = supposing(name, told.definition, await this.house.refreshPolicies(), later(at, now));
    const { summary, items, next } = await previewPage(
      {
        open: async (after, limit) => {
          const found = await openTickets(this.house, after, limit);
          demandWhole(found);
          return found;
        },
        state: (ticket) => ticketState(this.house, ticket),
      },
      name,
      supposed,
      { limit, from: from?.[0] ?? null },
    );
    void reply.header(POSITION_HEADER, position);
    return {
      policy: name,
      proposal: id,
      effective: at,
      position,
      summary,
      items,
      next: next === null ? null : cursorOf([next, at]),
    };
  }

  private async asked(
    name: string,
    after: Position | undefined,
  ): Promise<{ readonly story: PolicyStory; readonly position: Position }> {
    const known = knownPolicy(name);
    const position = await this.reading.upTo(after);
    return { story: await this.story(known), position };
  }

  /** @throws Problem `not-found` */
  private async proposed(name: string, id: Uuid, after: Position | undefined) {
    const asked = await this.asked(name, after);
    const told = asked.story.proposals.find(({ proposal }) => proposal === id);
    if (!told) throw notFound();
    return { ...asked, told };
  }

  private async story(name: string): Promise<PolicyStory> {
    const { store, codec } = this.house;
    return policyStory(name, decodePolicyEvents(codec, await store.readStream(policyStream(name))));
  }

  private async now(): Promise<Instant> {
    return toInstant((await this.house.store.now()) / 1_000_000);
  }

  private async named(
    ids: readonly PersonId[],
    blobs: readonly (Sealed | null)[],
  ): Promise<readonly [People, Texts]> {
    const people = await this.reading.people(ids);
    const called = [...people.values()].map((row) => row.called);
    return [people, await this.reading.texts([...blobs, ...called])];
  }
}
