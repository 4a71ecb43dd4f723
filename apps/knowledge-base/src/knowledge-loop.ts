import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ConsumerLoop, Premises } from '#edge';
import { knowledge, type Candidate } from '#engine/knowledge';
import { KnowledgeHome } from './home.js';

/** The consumer at work, for as long as the process lives. */
@Injectable()
export class KnowledgeLoop implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop: ConsumerLoop<Candidate>;

  constructor(premises: Premises, home: KnowledgeHome) {
    this.loop = new ConsumerLoop(premises, knowledge, home);
  }

  onApplicationBootstrap(): void {
    this.loop.begin();
  }

  /** The batch at hand is digested first. */
  onApplicationShutdown(): Promise<void> {
    return this.loop.end();
  }
}
