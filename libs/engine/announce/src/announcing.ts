import { TICKETS, schemaId, type CloudEvent, type TicketMessage } from '#contracts';
import type { ClockRecord } from '#domain/sla';
import { microsToText, never, toSeconds, type Recorded, type Uuid } from '#kernel';
import { idOf, type HouseEvent } from '#engine/catalogue';

/** A public message, ready for its topic. */
export interface Announcement {
  readonly topic: string;
  /** Id of the aggregate. */
  readonly key: string;
  readonly message: CloudEvent;
}

/** A fact is late when it was recorded so long after it happened; nobody is reminded of it (ruling 18). */
export const LATE_SECONDS = 24 * 3600;

/**
 * What the outside learns of a private event: the only way out of the house, used by the relay and by the
 * local feed alike. Nothing that a person typed and nobody's id leaves with it (ruling 31); silent events
 * answer `[]`. Pure: the same event gives the same message for ever.
 *
 * @param log identity of the log
 */
export function announce(event: Recorded<HouseEvent>, log: Uuid): readonly Announcement[] {
  const told = tell(event);
  if (told === null) return [];
  const subject = idOf(event.stream);
  const message: CloudEvent = {
    specversion: '1.0',
    id: event.id,
    source: `/covenant/logs/${log}`,
    type: told.type,
    subject,
    time: event.occurredAt,
    datacontenttype: 'application/json',
    dataschema: schemaId(told.type),
    position: event.position,
    revision: event.revision,
    recordedat: microsToText(event.recordedAt),
    data: told.data,
  };
  return [{ topic: TICKETS.name, key: subject, message }];
}

function tell(event: Recorded<HouseEvent>): TicketMessage | null {
  const late = isLate(event);
  switch (event.type) {
    case 'desk.ticket-opened.v1': {
      const { number, channel, tier, priority, customer, clocks } = event.data;
      return {
        type: 'covenant.ticket-opened.v1',
        data: {
          number,
          channel,
          tier,
          priority,
          customer: customer ?? null,
          late,
          promises: promises(clocks),
        },
      };
    }
    case 'desk.message-received.v1': {
      const { channel, autoReply: automatic, clocks } = event.data;
      return {
        type: 'covenant.ticket-message-received.v1',
        data: { channel, automatic, late, promises: promises(clocks) },
      };
    }
    case 'desk.message-sent.v1': {
      const { channel, autoReply: automatic, clocks } = event.data;
      return {
        type: 'covenant.ticket-message-sent.v1',
        data: { channel, automatic, late, promises: promises(clocks) },
      };
    }
    case 'desk.ticket-classified.v1': {
      const { category, subcategory = null, service = null } = event.data;
      return {
        type: 'covenant.ticket-classified.v1',
        data: { category, subcategory, service, ...replaced(event.data), late },
      };
    }
    case 'desk.ticket-prioritised.v1': {
      const { priority, from, clocks } = event.data;
      return {
        type: 'covenant.ticket-prioritised.v1',
        data: { priority, from, ...replaced(event.data), late, promises: promises(clocks) },
      };
    }
    case 'desk.ticket-retargeted.v1':
      return {
        type: 'covenant.ticket-retargeted.v1',
        data: { late, promises: promises(event.data.clocks) },
      };
    case 'desk.ticket-assigned.v1': {
      const { group = null, agent } = event.data;
      return {
        type: 'covenant.ticket-assigned.v1',
        data: { group, agent: agent !== undefined, ...replaced(event.data), late },
      };
    }
    case 'desk.handover-accepted.v1': {
      // To the outside a completed hand-over is an assignment; the offer is the desk's own affair.
      const { group = null } = event.data;
      return { type: 'covenant.ticket-assigned.v1', data: { group, agent: true, late } };
    }
    case 'desk.ticket-held.v1': {
      const { reason, clocks } = event.data;
      return {
        type: 'covenant.ticket-held.v1',
        data: { reason, ...replaced(event.data), late, promises: promises(clocks) },
      };
    }
    case 'desk.ticket-resumed.v1': {
      const { reason, clocks } = event.data;
      return {
        type: 'covenant.ticket-resumed.v1',
        data: { reason, ...replaced(event.data), late, promises: promises(clocks) },
      };
    }
    case 'desk.ticket-handed-to-vendor.v1': {
      const { vendor, clocks } = event.data;
      return {
        type: 'covenant.ticket-handed-to-vendor.v1',
        data: { vendor, ...replaced(event.data), late, promises: promises(clocks) },
      };
    }
    case 'desk.ticket-taken-back.v1': {
      const { vendor, clocks } = event.data;
      return {
        type: 'covenant.ticket-taken-back.v1',
        data: { vendor, ...replaced(event.data), late, promises: promises(clocks) },
      };
    }
    case 'desk.ticket-escalated.v1':
      return { type: 'covenant.ticket-escalated.v1', data: { level: event.data.level, late } };
    case 'desk.ticket-resolved.v1': {
      const { resolution, clocks } = event.data;
      return { type: 'covenant.ticket-resolved.v1', data: { resolution, late, promises: promises(clocks) } };
    }
    case 'desk.ticket-reopened.v1': {
      const { mode, clocks } = event.data;
      return { type: 'covenant.ticket-reopened.v1', data: { mode, late, promises: promises(clocks) } };
    }
    case 'desk.ticket-closed.v1':
      return { type: 'covenant.ticket-closed.v1', data: { late } };
    case 'desk.ticket-merged.v1': {
      const { into, clocks } = event.data;
      return { type: 'covenant.ticket-merged.v1', data: { into, late, promises: promises(clocks) } };
    }
    case 'desk.merge-completed.v1': {
      const { duplicate, clocks } = event.data;
      return { type: 'covenant.ticket-absorbed.v1', data: { duplicate, late, promises: promises(clocks) } };
    }
    case 'desk.ticket-rated.v1':
      return { type: 'covenant.ticket-rated.v1', data: { score: event.data.score, late } };
    case 'sla.clock-breached.v1':
      return { type: 'covenant.promise-breached.v1', data: event.data };
    case 'sla.breach-annulled.v1': {
      const { clock, cycle, due } = event.data;
      return { type: 'covenant.breach-annulled.v1', data: { clock, cycle, due } };
    }
    case 'people.person-named.v1':
    case 'desk.queue-defined.v1':
    case 'sla.policy-proposed.v1':
    case 'sla.policy-proposal-withdrawn.v1':
    case 'sla.policy-activated.v1':
    case 'house.demonstration-begun.v1':
    case 'house.demonstration-completed.v1':
    case 'house.command-noted.v1':
    case 'desk.note-added.v1':
    case 'desk.handover-offered.v1':
    case 'desk.handover-declined.v1':
    case 'desk.handover-withdrawn.v1':
    case 'desk.merge-begun.v1':
    case 'desk.merge-withdrawn.v1':
    case 'desk.tickets-linked.v1':
    case 'desk.case-imported.v1':
    case 'sla.clock-warned.v1':
    case 'sla.warning-annulled.v1':
      return null;
    default:
      return never(event);
  }
}

const replaced = ({ superseded }: { readonly superseded?: boolean }) => (superseded ? { superseded } : {});

export function isLate({ occurredAt, recordedAt }: Recorded<HouseEvent>): boolean {
  return recordedAt / 1_000_000 - toSeconds(occurredAt) > LATE_SECONDS;
}

function promises(clocks: readonly ClockRecord[]) {
  return clocks.map(({ clock, cycle, state, due, target, policy }) => ({
    clock,
    cycle,
    state,
    due,
    target,
    policy,
  }));
}
