import {
  CHANNELS,
  LINK_KINDS,
  RESOLUTIONS,
  TIERS,
  type Channel,
  type LinkKind,
  type Resolution,
  type Tier,
} from '#domain/desk';
import { HOLD_REASONS, type HoldReason, type Priority } from '#domain/sla';
import { Address, Code, Flag, Id, Line, Moment, Name, Part, Text, Whole } from '../requests/fields.js';

/** Common to every command: only `integration` may say that it happened earlier (DESIGN section 5). */
abstract class Command {
  @Moment({
    about:
      'When it happened, never in the future; floored to the second. Role integration only; else it is now.',
    optional: true,
  })
  readonly occurredAt?: string;
}

export class PersonGiven {
  @Address({
    about: 'Address: who writes from the same one is the same person.',
    optional: true,
    example: 'carol@example.com',
  })
  readonly email?: string;

  @Name({ about: 'How the person is called.', optional: true, example: 'Carol Jones' })
  readonly name?: string;
}

export class OpenTicketRequest extends Command {
  @Line({ about: 'What it is about, in one line.', example: 'The printer on floor 3 prints blank pages' })
  readonly subject!: string;

  @Text({ about: 'The first message.', example: 'Since this morning. I have changed the cartridge.' })
  readonly text!: string;

  @Code(CHANNELS, { about: 'How it came.', example: 'phone' })
  readonly channel!: Channel;

  @Part(PersonGiven, {
    about: 'Who asks: an address, a name or both. Absent: the caller. Not for role customer.',
    optional: true,
  })
  readonly requester?: PersonGiven;

  @Name({
    about: 'Customer account of the requester. Not for role customer: there it follows from the token.',
    optional: true,
  })
  readonly customer?: string;

  @Whole(1, 4, { about: '1 critical, 2 high, 3 normal, 4 low; 3 unless given.', optional: true })
  readonly priority?: Priority;

  @Code(TIERS, { about: 'Tier of the requester; base unless given. Role integration only.', optional: true })
  readonly tier?: Tier;

  @Name({
    about: 'Number in another system; lists can be filtered by it.',
    optional: true,
    example: 'INC0010023',
  })
  readonly externalReference?: string;
}

export const MESSAGE_KINDS = ['received', 'sent', 'note'] as const;

export class AddMessageRequest extends Command {
  @Text({ about: 'The message.' })
  readonly text!: string;

  @Code(MESSAGE_KINDS, {
    about:
      'received: from the requester’s side; sent: a public answer of the desk (the default of its roles); note: internal. From role customer always received.',
    optional: true,
  })
  readonly kind?: (typeof MESSAGE_KINDS)[number];

  @Code(CHANNELS, { about: 'How it came or went; web unless given, note for a note.', optional: true })
  readonly channel?: Channel;

  @Flag({
    about: 'An automatic message (out of office, acknowledgement): it moves no promise.',
    optional: true,
  })
  readonly autoReply?: boolean;

  @Part(PersonGiven, {
    about: 'Who said it, where that is neither the caller nor, for a received one, the requester.',
    optional: true,
  })
  readonly author?: PersonGiven;
}

export class AssignRequest extends Command {
  @Name({ about: 'Group. Neither group nor agent: back to the intake.', optional: true, example: 'Network' })
  readonly group?: string;

  @Name({
    about: 'Agent, by the subject of their token. With a group: of that group.',
    optional: true,
    example: 'alice',
  })
  readonly agent?: string;
}

export class HandoverRequest extends Command {
  @Name({ about: 'Group it is offered to.', optional: true, example: 'Network' })
  readonly group?: string;

  @Name({ about: 'Agent it is offered to, by the subject of their token.', optional: true, example: 'bob' })
  readonly agent?: string;

  @Text({ about: 'Why.' })
  readonly reason!: string;
}

export class AcceptHandoverRequest extends Command {}

export class DeclineHandoverRequest extends Command {
  @Text({ about: 'Why.' })
  readonly reason!: string;
}

export class HoldRequest extends Command {
  @Code(HOLD_REASONS, {
    about: 'What work waits for; the policy says which promises that pauses.',
    example: 'requester',
  })
  readonly reason!: HoldReason;

  @Text({ about: 'More about it; internal.', optional: true })
  readonly comment?: string;
}

export class ResumeRequest extends Command {
  @Code(HOLD_REASONS, {
    about: 'What it waits for no longer; absent: nothing of all it waited for.',
    optional: true,
  })
  readonly reason?: HoldReason;
}

export class EscalateRequest extends Command {
  @Text({ about: 'Why somebody above should look.' })
  readonly reason!: string;
}

export class PrioritiseRequest extends Command {
  @Whole(1, 4, { about: '1 critical, 2 high, 3 normal, 4 low.', example: 2 })
  readonly priority!: Priority;
}

export class ClassifyRequest extends Command {
  @Name({ about: 'Category.', example: 'Hardware' })
  readonly category!: string;

  @Name({ about: 'Subcategory.', optional: true, example: 'Printer' })
  readonly subcategory?: string;

  @Name({ about: 'Service or configuration item.', optional: true })
  readonly service?: string;
}

export class HandToVendorRequest extends Command {
  @Name({ about: 'Vendor.', example: 'Acme Printing' })
  readonly vendor!: string;

  @Name({ about: 'The vendor’s own number.', optional: true })
  readonly vendorReference?: string;
}

export class TakeBackRequest extends Command {}

export class ResolveRequest extends Command {
  @Code(RESOLUTIONS, { about: 'How; unspecified unless given.', optional: true, example: 'solved' })
  readonly resolution?: Resolution;

  @Text({ about: 'What was done; internal.', optional: true })
  readonly comment?: string;
}

export class ReopenRequest extends Command {
  @Text({ about: 'Why it was not done.', optional: true })
  readonly reason?: string;
}

export class CloseRequest extends Command {}

export class MergeRequest extends Command {
  @Id({ about: 'The ticket that ends in this one.' })
  readonly duplicate!: string;
}

export class LinkRequest extends Command {
  @Id({ about: 'The other ticket.' })
  readonly other!: string;

  @Code(LINK_KINDS, {
    about: 'How they belong together, seen from this ticket; relates-to unless given.',
    optional: true,
  })
  readonly kind?: LinkKind;
}

export class RateRequest extends Command {
  @Whole(1, 5, { about: '1 worst to 5 best.', example: 5 })
  readonly score!: number;

  @Text({ about: 'In words.', optional: true })
  readonly comment?: string;
}
