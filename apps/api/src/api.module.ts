import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AccessModule, DocumentationModule } from '#edge';
import { Live } from './live/live.controller.js';
import { LiveStreams } from './live/live-streams.js';
import { Attainment } from './attainment/attainment.controller.js';
import { Acquaintances } from './people/acquaintances.js';
import { QueueCommands } from './queues/queue-commands.controller.js';
import { QueueHandler } from './queues/queue-envelope.js';
import { Queues } from './queues/queues.controller.js';
import { Reading } from './reading/reading.js';
import { PolicyCommands } from './policies/policy-commands.controller.js';
import { PolicyHandler } from './policies/policy-envelope.js';
import { PolicyQueries } from './policies/policies.controller.js';
import { KeyRings } from './requests/key-rings.js';
import { TicketCommands } from './tickets/ticket-commands.controller.js';
import { TicketHandler } from './tickets/ticket-envelope.js';
import { TicketOwners } from './tickets/ticket-owners.js';
import { Tickets } from './tickets/tickets.controller.js';

/** The interfaces of DESIGN section 8. Needs the House; `describeApi` completes it before it listens. */
@Module({
  imports: [CqrsModule, AccessModule, DocumentationModule],
  controllers: [
    Tickets,
    TicketCommands,
    Attainment,
    Queues,
    QueueCommands,
    PolicyQueries,
    PolicyCommands,
    Live,
  ],
  providers: [
    Acquaintances,
    KeyRings,
    Reading,
    TicketOwners,
    TicketHandler,
    QueueHandler,
    PolicyHandler,
    LiveStreams,
  ],
})
export class ApiModule {}
