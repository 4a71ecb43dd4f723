import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { AccessGuard } from './access/access-guard.js';
import { ApiDocument } from './openapi/document.js';
import { Documentation } from './openapi/documentation.controller.js';
import { Acquaintances } from './people/acquaintances.js';
import { QueueCommands } from './queues/queue-commands.controller.js';
import { QueueHandler } from './queues/queue-envelope.js';
import { Queues } from './queues/queues.controller.js';
import { Reading } from './reading/reading.js';
import { KeyRings } from './requests/key-rings.js';
import { TicketCommands } from './tickets/ticket-commands.controller.js';
import { TicketHandler } from './tickets/ticket-envelope.js';
import { TicketOwners } from './tickets/ticket-owners.js';
import { Tickets } from './tickets/tickets.controller.js';

/** The interfaces of DESIGN section 8. Needs the House; `describeApi` completes it before it listens. */
@Module({
  imports: [CqrsModule],
  controllers: [Documentation, Tickets, TicketCommands, Queues, QueueCommands],
  providers: [
    { provide: APP_GUARD, useClass: AccessGuard },
    ApiDocument,
    Acquaintances,
    KeyRings,
    Reading,
    TicketOwners,
    TicketHandler,
    QueueHandler,
  ],
})
export class ApiModule {}
