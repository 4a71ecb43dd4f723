import { ApiProperty } from '@nestjs/swagger';
import { CHANNELS, LINK_KINDS, TIERS } from '#domain/desk';
import { CLOCK_STATES, CLOCKS, HOLD_REASONS, LINE_KINDS, RETARGET_MODES } from '#domain/sla';
import { ROLES } from '#kernel';
import { STATUSES } from '#engine/views';

/** The shapes of answers, for OpenAPI; present.ts makes them. Nullable texts are null where a key was destroyed. */

const text = (description: string) => ApiProperty({ type: 'string', description });
const maybe = (description: string) => ApiProperty({ type: 'string', nullable: true, description });
const id = (description: string) => ApiProperty({ type: 'string', format: 'uuid', description });
const at = (description: string) => ApiProperty({ type: 'string', format: 'date-time', description });
const maybeAt = (description: string) =>
  ApiProperty({ type: 'string', format: 'date-time', nullable: true, description });
const whole = (description: string, more: object = {}) =>
  ApiProperty({ type: 'integer', description, ...more });
const code = (values: readonly string[], description: string) =>
  ApiProperty({ type: 'string', enum: [...values], description });
const position = () =>
  ApiProperty({ type: 'string', description: 'Opaque, rising; for ?after= (read your own writes).' });
const next = () =>
  ApiProperty({ type: 'string', nullable: true, description: 'Cursor of the next page; null on the last.' });

export class WarningAnswer {
  @whole('Parts of the target.') readonly numerator!: number;
  @whole('Of so many parts.') readonly denominator!: number;
  @maybeAt('When that share is or was used up; null while the clock stands still and it is not.')
  readonly at!: string | null;
  @ApiProperty({
    type: 'boolean',
    required: false,
    description: 'That instant has come, recorded or not yet; said with the ledger alone.',
  })
  readonly fired?: boolean;
}

export class PromiseAnswer {
  @code(CLOCKS, 'Which promise.') readonly clock!: string;
  @whole('1 at first; a restart opens the next.') readonly cycle!: number;
  @code(CLOCK_STATES, 'How it stands.') readonly state!: string;
  @at('When this cycle started.') readonly startedAt!: string;
  @maybeAt('Earliest instant at which the target is used up; null while paused or ended.') readonly due!:
    string | null;
  @maybeAt('The due instant that passed unanswered; else null.') readonly breachedAt!: string | null;
  @whole('Promised, in seconds of open hours.', { required: false }) readonly target?: number;
  @whole('Used up to asOf, in seconds of open hours.', { required: false }) readonly consumed?: number;
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    required: false,
    description: 'Up to when consumed is counted.',
  })
  readonly asOf?: string;
  @ApiProperty({ type: [String], enum: HOLD_REASONS, required: false, description: 'Active pause reasons.' })
  readonly reasons?: string[];
  @ApiProperty({
    type: [WarningAnswer],
    required: false,
    description: 'At which shares of the target it warns; absent or empty where its policy states none.',
  })
  readonly warnings?: WarningAnswer[];
  @ApiProperty({ type: 'string', required: false, description: 'Policy and version, default@1.' })
  readonly policy?: string;
  @ApiProperty({ type: 'string', required: false, description: 'Calendar and version.' })
  readonly calendar?: string;
  @ApiProperty({ type: 'string', required: false, description: 'IANA zone of the calendar.' })
  readonly zone?: string;
  @ApiProperty({ type: 'string', required: false, description: 'Version of the zone rules.' })
  readonly tzdb?: string;
}

export class OpenedAnswer {
  @id('The ticket.') readonly id!: string;
  @text('The number to say on the phone.') readonly number!: string;
  @position() readonly position!: string;
  @whole('Revision of the ticket.') readonly revision!: number;
  @ApiProperty({ type: [PromiseAnswer], description: 'What was promised.' })
  readonly promises!: PromiseAnswer[];
}

export class RecordedAnswer {
  @id('The ticket.') readonly id!: string;
  @position() readonly position!: string;
  @whole('Revision of the ticket after it.') readonly revision!: number;
  @ApiProperty({
    type: [PromiseAnswer],
    description: 'The promises that it changed, as they stand after it.',
  })
  readonly promises!: PromiseAnswer[];
  @ApiProperty({
    type: 'string',
    format: 'uuid',
    required: false,
    description: 'The hand-over that it began.',
  })
  readonly handover?: string;
  @ApiProperty({ type: 'string', format: 'uuid', required: false, description: 'The merge that it began.' })
  readonly merge?: string;
}

export class PersonAnswer {
  @id('The person.') readonly id!: string;
  @maybe('Name; null where it is not known any more.') readonly name!: string | null;
  @maybe('Address.') readonly email!: string | null;
}

export class NamedAnswer {
  @id('Id of the name.') readonly id!: string;
  @maybe('The name.') readonly name!: string | null;
}

export class QueueNameAnswer {
  @ApiProperty({ type: 'string', description: 'intake, or the id of a group.' }) readonly id!: string;
  @maybe('Name of the group; null for intake.') readonly name!: string | null;
}

export class HandoverAnswer {
  @id('The hand-over.') readonly id!: string;
  @ApiProperty({ type: NamedAnswer, nullable: true }) readonly group!: NamedAnswer | null;
  @ApiProperty({ type: PersonAnswer, nullable: true }) readonly agent!: PersonAnswer | null;
  @at('When it was offered.') readonly offeredAt!: string;
  @ApiProperty({ type: PersonAnswer }) readonly offeredBy!: PersonAnswer;
}

export class LinkAnswer {
  @id('The other ticket.') readonly other!: string;
  @code(LINK_KINDS, 'Seen from this ticket.') readonly kind!: string;
}

const hidden = 'Not shown to role customer.';

export class TicketAnswer {
  @id('The ticket.') readonly id!: string;
  @text('The number to say on the phone.') readonly number!: string;
  @code(STATUSES, 'How it stands.') readonly status!: string;
  @code(CHANNELS, 'How it came.') readonly channel!: string;
  @whole('1 critical to 4 low.') readonly priority!: number;
  @maybe('One line.') readonly subject!: string | null;
  @ApiProperty({ type: PersonAnswer, description: 'Who asked.' }) readonly requester!: PersonAnswer;
  @ApiProperty({ type: [PromiseAnswer], description: 'What was promised, as last recorded.' })
  readonly promises!: PromiseAnswer[];
  @ApiProperty({ type: 'integer', nullable: true, description: '1 worst to 5 best; null where not rated.' })
  readonly rating!: number | null;
  @at('When it was opened.') readonly openedAt!: string;
  @maybeAt('When it was resolved.') readonly resolvedAt!: string | null;
  @maybeAt('When it was closed.') readonly closedAt!: string | null;
  @ApiProperty({ type: 'integer', required: false, description: hidden }) readonly revision?: number;
  @ApiProperty({ type: 'string', enum: TIERS, required: false, description: hidden }) readonly tier?: string;
  @ApiProperty({ type: NamedAnswer, nullable: true, required: false, description: hidden })
  readonly customer?: NamedAnswer | null;
  @ApiProperty({ type: QueueNameAnswer, required: false, description: `The queue it waits in. ${hidden}` })
  readonly queue?: QueueNameAnswer;
  @ApiProperty({ type: NamedAnswer, nullable: true, required: false, description: hidden })
  readonly group?: NamedAnswer | null;
  @ApiProperty({ type: PersonAnswer, nullable: true, required: false, description: hidden })
  readonly agent?: PersonAnswer | null;
  @ApiProperty({
    type: [String],
    enum: HOLD_REASONS,
    required: false,
    description: `What it waits for. ${hidden}`,
  })
  readonly holds?: string[];
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    required: false,
    description: `The mark of what is overdue: the first due instant that passed of the promises that are still open; null where none did. ${hidden}`,
  })
  readonly overdueSince?: string | null;
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    required: false,
    description: `Since when any of its promises has stood still; null while none does. ${hidden}`,
  })
  readonly pausedSince?: string | null;
  @ApiProperty({
    type: 'boolean',
    required: false,
    description: `That has lasted longer than the desk allows. ${hidden}`,
  })
  readonly pauseForgotten?: boolean;
  @ApiProperty({ type: NamedAnswer, nullable: true, required: false, description: hidden })
  readonly vendor?: NamedAnswer | null;
  @ApiProperty({
    type: 'string',
    nullable: true,
    required: false,
    description: `The vendor’s number. ${hidden}`,
  })
  readonly vendorReference?: string | null;
  @ApiProperty({ type: NamedAnswer, nullable: true, required: false, description: hidden })
  readonly category?: NamedAnswer | null;
  @ApiProperty({ type: NamedAnswer, nullable: true, required: false, description: hidden })
  readonly subcategory?: NamedAnswer | null;
  @ApiProperty({ type: NamedAnswer, nullable: true, required: false, description: hidden })
  readonly service?: NamedAnswer | null;
  @ApiProperty({
    type: 'string',
    nullable: true,
    required: false,
    description: `Number in another system. ${hidden}`,
  })
  readonly externalReference?: string | null;
  @ApiProperty({ type: HandoverAnswer, nullable: true, required: false, description: `Pending. ${hidden}` })
  readonly handover?: HandoverAnswer | null;
  @ApiProperty({ type: 'integer', required: false, description: `Escalations so far. ${hidden}` })
  readonly escalation?: number;
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true, required: false, description: hidden })
  readonly pendingMerge?: string | null;
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true, required: false, description: hidden })
  readonly mergedInto?: string | null;
  @ApiProperty({
    type: [String],
    format: 'uuid',
    required: false,
    description: `Tickets that ended in it. ${hidden}`,
  })
  readonly merged?: string[];
  @ApiProperty({ type: [LinkAnswer], required: false, description: hidden }) readonly links?: LinkAnswer[];
  @ApiProperty({
    type: 'string',
    required: false,
    description: `Service-level policy it is under. ${hidden}`,
  })
  readonly policy?: string;
  @ApiProperty({ type: 'string', format: 'date-time', required: false, description: hidden })
  readonly updatedAt?: string;
}

export class TicketsAnswer {
  @ApiProperty({ type: [TicketAnswer] }) readonly items!: TicketAnswer[];
  @next() readonly next!: string | null;
}

export class ActorAnswer {
  @code(ROLES, 'In which role.') readonly role!: string;
  @ApiProperty({ type: 'string', format: 'uuid', required: false, description: hidden }) readonly id?: string;
  @ApiProperty({ type: 'string', nullable: true, required: false, description: hidden })
  readonly name?: string | null;
}

/** The event behind a line; null where a breach or a warning is not recorded yet. */
class OriginAnswer {
  @ApiProperty({ type: 'string', format: 'uuid', nullable: true, description: 'The event.' })
  readonly event!: string | null;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Its place in the ticket’s history.' })
  readonly revision!: number | null;
  @maybe('Its stored name.') readonly type!: string | null;
  @ApiProperty({ type: ActorAnswer, nullable: true, description: 'Who caused it.' })
  readonly by!: ActorAnswer | null;
}

export class PauseReasonAnswer extends OriginAnswer {
  @code(HOLD_REASONS, 'For what it waits.') readonly reason!: string;
}

const onlyOf = (kinds: string, description: string, schema: object) =>
  ApiProperty({ required: false, description: `${description} (${kinds})`, ...schema });

export class LedgerLineAnswer extends OriginAnswer {
  @code(
    LINE_KINDS,
    'open: counted. closed: outside the hours. holiday: would be open, were it not for a closed date. outside-calendar: before the calendar is in force. paused: counts nothing. rested: it had ended. The others are instants at which something changed.',
  )
  readonly kind!: string;
  @at('Where the line begins.') readonly from!: string;
  @at('Where it ends; equal to `from` for what is no stretch of time.') readonly to!: string;
  @whole('Of the clock; a restart opens the next, and sums begin anew.') readonly cycle!: number;
  @whole('Seconds of open hours that it adds; below 0 where a re-target takes some back.')
  readonly counted!: number;
  @whole('Of the cycle up to and with this line.') readonly sum!: number;
  @ApiProperty({
    type: 'boolean',
    description: 'What follows if nothing else happens, up to the due instant.',
  })
  readonly ahead!: boolean;
  @onlyOf('holiday', 'The closed date.', { type: 'string', format: 'date' }) readonly date?: string;
  @onlyOf('paused', 'Seconds of open hours that would have counted.', { type: 'integer' })
  readonly open?: number;
  @onlyOf('paused', 'For what, and who said so.', { type: [PauseReasonAnswer] })
  readonly reasons?: PauseReasonAnswer[];
  @onlyOf('started, reopened, restarted, retargeted, adopted', 'Promised from here on.', { type: 'integer' })
  readonly target?: number;
  @onlyOf('started, reopened, restarted, retargeted, adopted', 'Calendar and version from here on.', {
    type: 'string',
  })
  readonly calendar?: string;
  @onlyOf('started, reopened, restarted, retargeted, adopted', 'IANA zone of that calendar.', {
    type: 'string',
  })
  readonly zone?: string;
  @onlyOf('retargeted', 'What became of what was consumed.', { type: 'string', enum: RETARGET_MODES })
  readonly mode?: string;
  @onlyOf('retargeted', 'Promised before.', { type: 'integer' }) readonly targetBefore?: number;
  @onlyOf('adopted', 'The breach of the other ticket’s clock that goes on here.', {
    type: 'string',
    format: 'date-time',
    nullable: true,
  })
  readonly breachedAt?: string | null;
  @onlyOf('warned, warning-annulled', 'Parts of the target that were used up.', { type: 'integer' })
  readonly numerator?: number;
  @onlyOf('warned, warning-annulled', 'Of so many parts.', { type: 'integer' })
  readonly denominator?: number;
  @onlyOf('annulled, warning-annulled', 'Stored name of the fact that made it untrue.', { type: 'string' })
  readonly cause?: string;
  @onlyOf('ended', 'How it ended.', { type: 'string', enum: CLOCK_STATES }) readonly state?: string;
}

export class ClockAnswer extends PromiseAnswer {
  @ApiProperty({
    type: 'boolean',
    description: 'The due instant has passed unanswered, recorded or not yet.',
  })
  readonly breached!: boolean;
  @ApiProperty({
    type: 'integer',
    required: false,
    description: 'Target less consumed, in seconds of open hours.',
  })
  readonly remaining?: number;
  @ApiProperty({
    type: 'boolean',
    required: false,
    description: `Whether the ledger comes to what the events recorded; false where rules have changed since. ${hidden}`,
  })
  readonly agrees?: boolean;
  @ApiProperty({ type: [LedgerLineAnswer], required: false, description: `Why it stands so. ${hidden}` })
  readonly ledger?: LedgerLineAnswer[];
  @ApiProperty({
    type: 'string',
    nullable: true,
    required: false,
    description: `Cursor of the ledger’s next lines; null at its end. ${hidden}`,
  })
  readonly next?: string | null;
}

export class ClocksAnswer {
  @id('The ticket.') readonly id!: string;
  @at('The instant at which this holds.') readonly at!: string;
  @ApiProperty({ type: [ClockAnswer] }) readonly clocks!: ClockAnswer[];
}

export class EntryAnswer {
  @whole('Place in the ticket’s history, from 0; gaps where internal lines are not shown.')
  readonly revision!: number;
  @position() readonly position!: string;
  @text('Stored name of the event; docs/events.md lists their fields.') readonly type!: string;
  @at('When it happened.') readonly occurredAt!: string;
  @at('When it was recorded, to the microsecond.') readonly recordedAt!: string;
  @ApiProperty({ type: ActorAnswer }) readonly actor!: ActorAnswer;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The fact. Names that the desk groups by stand as ids here, their texts in `text`.',
  })
  readonly data!: object;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: ['string', 'null'] as never },
    description: 'What was typed, by field; null where the key was destroyed.',
  })
  readonly text!: object;
}

export class TimelineAnswer {
  @ApiProperty({ type: [EntryAnswer] }) readonly items!: EntryAnswer[];
  @next() readonly next!: string | null;
}
