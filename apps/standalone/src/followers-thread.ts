import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { House, openThread, type Thread } from '#edge';

/**
 * What follows the log on a second thread: to fold and write what was recorded costs nearly as much as to
 * record it, and whoever asks would wait for both.
 */
@Injectable()
export class FollowersThread implements OnApplicationBootstrap, OnApplicationShutdown {
  private thread: Thread | undefined;

  constructor(private readonly house: House) {}

  async onApplicationBootstrap(): Promise<void> {
    this.thread = await openThread(this.house, 'followers', new URL('./followers.js', import.meta.url));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.thread?.close();
  }
}
