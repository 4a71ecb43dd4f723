import { ApiProperty } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { CLOCKS, HOLD_REASONS, OPEN_TICKETS, TARGET_UNITS, type OpenTickets } from '#domain/sla';
import { Code, Moment, Text } from '../requests/fields.js';

/** What a policy says is judged as one thing, by `policyGiven`; here stands how it looks. */

const time = (description: string) => ApiProperty({ type: 'string', example: '09:00', description });
const date = () => ApiProperty({ type: 'string', format: 'date', example: '2026-12-24' });

export class WeeklyHours {
  @ApiProperty({
    type: 'array',
    items: { type: 'integer', minimum: 1, maximum: 7 },
    example: [1, 2, 3, 4, 5],
    description: '1 Monday to 7 Sunday: the local dates on which they start.',
  })
  readonly days!: number[];
  @time('Local time, 00:00 to 23:59.') readonly from!: string;
  @time('Local time, to 24:00; at or before `from`: on the next civil day.') readonly to!: string;
}

export class ExceptionalHours {
  @date() readonly date!: string;
  @time('Local time, 00:00 to 23:59.') readonly from!: string;
  @time('Local time, to 24:00; at or before `from`: on the next civil day.') readonly to!: string;
}

export class CalendarGiven {
  @ApiProperty({ type: 'string', description: 'IANA zone.', example: 'Europe/Berlin' })
  readonly zone!: string;
  @ApiProperty({ type: 'boolean', required: false, description: 'Open around the clock; then no hours.' })
  readonly always?: boolean;
  @ApiProperty({ type: [WeeklyHours], required: false, description: 'Hours of the week.' })
  readonly weekly?: WeeklyHours[];
  @ApiProperty({ type: [String], required: false, description: 'Closed local dates, YYYY-MM-DD.' })
  readonly closed?: string[];
  @ApiProperty({
    type: [ExceptionalHours],
    required: false,
    description: 'Hours that replace those of a date; they win over `closed`.',
  })
  readonly open?: ExceptionalHours[];
}

export class TargetGiven {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 4, description: '1 critical to 4 low.' })
  readonly priority!: number;
  @ApiProperty({ type: 'string', enum: [...CLOCKS], description: 'Which promise.' }) readonly clock!: string;
  @ApiProperty({ type: 'integer', minimum: 1, description: 'How much open time it may take.' })
  readonly target!: number;
  @ApiProperty({ type: 'string', enum: Object.keys(TARGET_UNITS), description: 'Of what.' })
  readonly unit!: string;
}

export class PausesGiven {
  @ApiProperty({ type: 'string', enum: [...CLOCKS], description: 'Which promise.' }) readonly clock!: string;
  @ApiProperty({ type: [String], enum: HOLD_REASONS, description: 'Reasons to wait that pause it.' })
  readonly reasons!: string[];
}

export class WarningsGiven {
  @ApiProperty({ type: 'string', enum: [...CLOCKS], description: 'Which promise.' }) readonly clock!: string;
  @ApiProperty({
    type: [String],
    example: ['1/2', '3/4'],
    description: 'Shares of the target at which it warns, above 0 and at most 1.',
  })
  readonly shares!: string[];
}

export class PolicyGivenShape {
  @Allow()
  @ApiProperty({ type: CalendarGiven, description: 'When the desk is open.' })
  readonly calendar!: CalendarGiven;

  @Allow()
  @ApiProperty({
    type: [TargetGiven],
    description: 'For every priority: first response, resolution, and whatever else is promised at all.',
  })
  readonly targets!: TargetGiven[];

  @Allow()
  @ApiProperty({
    type: [PausesGiven],
    required: false,
    description: 'A clock not named is paused by nothing.',
  })
  readonly pausedBy?: PausesGiven[];

  @Allow()
  @ApiProperty({ type: [WarningsGiven], required: false, description: 'A clock not named warns never.' })
  readonly warnAt?: WarningsGiven[];

  @Allow()
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    description: 'A reopen within so many business days of the resolve goes on; after them it starts anew.',
  })
  readonly reopenWithinDays!: number;
}

export class ProposePolicyRequest extends PolicyGivenShape {
  @Text({ about: 'Why, for whoever activates it.', optional: true }) readonly comment?: string;
}

export class ActivatePolicyRequest {
  @Code(OPEN_TICKETS, {
    about:
      'Tickets that are open when it comes into force keep what they were promised (until their priority changes), or are re-targeted: what is used up stays, the preview says what would move.',
  })
  readonly openTickets!: OpenTickets;

  @Moment({
    about: 'From when on it is in force, now or later; at once unless given.',
    optional: true,
    example: '2027-01-01T00:00:00Z',
  })
  readonly effective?: string;
}

export class WithdrawProposalRequest {}
