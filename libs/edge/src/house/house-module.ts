import { Controller, Get, Module, Req, Res, type DynamicModule } from '@nestjs/common';
import { bearer } from '../run/bearer.js';
import { isLocal, Open, type EdgeReply, type EdgeRequest } from '../run/request.js';
import { Problem } from '../problem/problem.js';
import { House } from './house.js';
import { Premises } from './premises.js';

@Controller('health')
class Health {
  constructor(private readonly premises: Premises) {}

  @Get('live')
  @Open()
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  /** Ruling 52. */
  @Get('ready')
  @Open()
  async ready(): Promise<{ status: 'ready' }> {
    const { ready, parts } = await this.premises.readiness.state();
    if (ready) return { status: 'ready' };
    const errors = Object.entries(parts)
      .filter(([, state]) => state !== 'ok')
      .map(([field, problem]) => ({ field, problem }));
    throw Problem.of('not-ready', 'This process should not be given work now.', { errors });
  }
}

@Controller('metrics')
class Figures {
  constructor(private readonly premises: Premises) {}

  /** Without a token on loopback, else for the role `monitor` (DESIGN section 8). */
  @Get()
  @Open()
  async figures(@Req() request: EdgeRequest, @Res({ passthrough: true }) reply: EdgeReply): Promise<string> {
    if (!isLocal(request)) {
      const token = bearer(request.headers.authorization);
      const { role } = this.premises.keeper.known(token) ?? (await this.premises.keeper.admit(token));
      if (role !== 'monitor')
        throw Problem.of('not-permitted', 'Only the role monitor may read the figures.');
    }
    const { metrics } = this.premises;
    void reply.header('content-type', metrics.registry.contentType);
    return metrics.text();
  }
}

/** Gives every module of a process its premises, and its House where it has one; the process its health and figures. */
@Module({})
export class HouseModule {
  static forRoot(premises: Premises): DynamicModule {
    const tokens = isHouse(premises) ? [Premises, House] : [Premises];
    return {
      module: HouseModule,
      global: true,
      controllers: [Health, Figures],
      providers: tokens.map((provide) => ({ provide, useValue: premises })),
      exports: tokens,
    };
  }
}

const isHouse = (premises: Premises): premises is House => 'store' in premises;
