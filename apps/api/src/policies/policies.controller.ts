import { Controller, Get, Param, Query as QueryParam, Res } from '@nestjs/common';
import { BUILT_INS, policyStream } from '#domain/sla';
import { decodePolicyEvents, policyStory, versionInForce, type PolicyStory } from '#engine/policies';
import type { Sealed } from '#engine/store';
import { toInstant, type Instant, type PersonId, type Position, type Uuid } from '#kernel';
import { After, etagOf, House, IdOf, notFound, Params, POSITION_HEADER, Query, type EdgeReply } from '#edge';
import { Reading } from '../reading/reading.js';
import type { Texts } from '../reading/texts.js';
import type { People } from '../tickets/present.js';
import { PoliciesAnswer, PolicyAnswer, ProposalAnswer, VersionAnswer } from './policy-answers.js';
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
    const { story, position } = await this.asked(name, after);
    const told = story.proposals.find(({ proposal }) => proposal === id);
    if (!told) throw notFound();
    const [people, texts] = await this.named([...personsOfProposal(told)], [told.comment]);
    void reply.headers({ [POSITION_HEADER]: position, etag: etagOf(story.etag) });
    return proposalAnswer(name, told, people, texts);
  }

  private async asked(
    name: string,
    after: Position | undefined,
  ): Promise<{ readonly story: PolicyStory; readonly position: Position }> {
    const known = knownPolicy(name);
    const position = await this.reading.upTo(after);
    return { story: await this.story(known), position };
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
