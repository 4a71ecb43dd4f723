import { ApiProperty } from '@nestjs/swagger';
import { CLOCKS, OPEN_TICKETS } from '#domain/sla';
import { PersonAnswer } from '../tickets/ticket-answers.js';
import { PolicyGivenShape } from './policy-requests.js';

const text = (description: string) => ApiProperty({ type: 'string', description });
const maybe = (description: string) => ApiProperty({ type: 'string', nullable: true, description });
const maybeId = (description: string) =>
  ApiProperty({ type: 'string', format: 'uuid', nullable: true, description });
const at = (description: string) => ApiProperty({ type: 'string', format: 'date-time', description });
const maybeAt = (description: string) =>
  ApiProperty({ type: 'string', format: 'date-time', nullable: true, description });
const maybePerson = (description: string) => ApiProperty({ type: PersonAnswer, nullable: true, description });
const APPROVAL = 'By how many people it was made; null for a built-in version.';

export class VersionSummary {
  @text('As promises name it, default@2.') readonly ref!: string;
  @ApiProperty({ type: 'integer', description: '1 for the first.' }) readonly version!: number;
  @ApiProperty({ type: 'string', enum: ['built-in', 'desk'] }) readonly source!: string;
  @at('When it was activated.') readonly activatedAt!: string;
  @at('From when on tickets are promised by it, until a later version is in force.')
  readonly effective!: string;
  @maybeId('The proposal; null for a built-in version.') readonly proposal!: string | null;
  @maybePerson('Who proposed it.') readonly proposedBy!: PersonAnswer | null;
  @maybePerson('Who activated it; null for the house.') readonly activatedBy!: PersonAnswer | null;
  @ApiProperty({ type: 'string', enum: ['two', 'one', null], nullable: true, description: APPROVAL })
  readonly approval!: string | null;
  @ApiProperty({
    type: 'string',
    enum: [...OPEN_TICKETS],
    description: 'What becomes of tickets that are open when it comes into force.',
  })
  readonly openTickets!: string;
}

export class VersionAnswer extends VersionSummary {
  @ApiProperty({ type: PolicyGivenShape, description: 'What it says.' })
  readonly definition!: PolicyGivenShape;
}

export class ProposalSummary {
  @ApiProperty({ type: 'string', format: 'uuid' }) readonly id!: string;
  @ApiProperty({ type: 'string', enum: ['pending', 'withdrawn', 'activated'] }) readonly status!: string;
  @at('When it was proposed.') readonly proposedAt!: string;
  @ApiProperty({ type: PersonAnswer, description: 'Who proposed it; somebody else activates it.' })
  readonly proposedBy!: PersonAnswer;
  @maybe('Why; null where nothing was said, or a key was destroyed.') readonly comment!: string | null;
  @maybeAt('When it was activated or withdrawn.') readonly decidedAt!: string | null;
  @maybePerson('By whom.') readonly decidedBy!: PersonAnswer | null;
  @maybe('What it was activated as, default@2.') readonly version!: string | null;
}

export class ProposalAnswer extends ProposalSummary {
  @text('The policy.') readonly policy!: string;
  @ApiProperty({ type: PolicyGivenShape, description: 'What it would say.' })
  readonly definition!: PolicyGivenShape;
}

export class PolicySummary {
  @text('The policy.') readonly name!: string;
  @maybe('The version in force now; null before the first is.') readonly inForce!: string | null;
  @ApiProperty({ type: 'integer', description: 'Versions there are, those not yet in force included.' })
  readonly versions!: number;
  @ApiProperty({ type: 'integer', description: 'Proposals that wait to be activated.' })
  readonly pending!: number;
}

export class PoliciesAnswer {
  @ApiProperty({ type: [PolicySummary] }) readonly items!: PolicySummary[];
}

export class PolicyAnswer {
  @text('The policy.') readonly name!: string;
  @ApiProperty({ type: VersionAnswer, nullable: true, description: 'The version in force now.' })
  readonly inForce!: VersionAnswer | null;
  @ApiProperty({ type: [VersionSummary], description: 'All, in the order in which they were activated.' })
  readonly versions!: VersionSummary[];
  @ApiProperty({ type: [ProposalSummary], description: 'Those that wait to be activated, oldest first.' })
  readonly proposals!: ProposalSummary[];
}

export class PolicyRecordedAnswer {
  @text('The policy.') readonly policy!: string;
  @ApiProperty({ type: 'string', format: 'uuid', description: 'The proposal.' }) readonly proposal!: string;
  @ApiProperty({
    type: 'string',
    required: false,
    description: 'The version that it became, default@2; from an activation only.',
  })
  readonly version?: string;
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    required: false,
    description: 'From when on it is in force; from an activation only.',
  })
  readonly effective?: string;
  @ApiProperty({ type: 'string', enum: ['two', 'one'], required: false, description: APPROVAL })
  readonly approval?: string;
  @text('Opaque, rising; for ?after= (read your own writes).') readonly position!: string;
  @ApiProperty({ type: 'integer', description: 'Revision of the policy after it.' })
  readonly revision!: number;
}

export class MovedDueAnswer {
  @ApiProperty({ type: 'string', enum: [...CLOCKS] }) readonly clock!: string;
  @ApiProperty({ type: 'integer', description: 'Of the promise.' }) readonly cycle!: number;
  @maybeAt('Due as things stand; null where it has no due: paused, or not promised.') readonly from!:
    string | null;
  @maybeAt('Due then; null likewise.') readonly to!: string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Real seconds from the one to the other, earlier below 0; null where one of them is.',
  })
  readonly seconds!: number | null;
  @ApiProperty({ type: 'boolean', description: 'The new target is used up already: due at once.' })
  readonly atOnce!: boolean;
}

export class PreviewItemAnswer {
  @ApiProperty({ type: 'string', format: 'uuid' }) readonly ticket!: string;
  @text('The number to say on the phone.') readonly number!: string;
  @ApiProperty({ type: 'integer', description: '1 critical to 4 low.' }) readonly priority!: number;
  @ApiProperty({ type: [MovedDueAnswer] }) readonly dues!: MovedDueAnswer[];
}

export class SecondsMovedAnswer {
  @ApiProperty({ type: 'integer', description: 'Real seconds, earlier below 0.' }) readonly least!: number;
  @ApiProperty({ type: 'integer', description: 'The middle one; of an even number the lower.' })
  readonly median!: number;
  @ApiProperty({ type: 'integer' }) readonly greatest!: number;
}

export class PreviewSummaryAnswer {
  @ApiProperty({ type: 'integer', description: 'Tickets of the policy that are open.' })
  readonly tickets!: number;
  @ApiProperty({ type: 'integer', description: 'Their promises that are open and unbroken.' })
  readonly promises!: number;
  @ApiProperty({ type: 'integer', description: 'Tickets of which a due instant would move.' })
  readonly movedTickets!: number;
  @ApiProperty({ type: 'integer', description: 'Due instants that would move.' }) readonly movedDues!: number;
  @ApiProperty({ type: 'integer' }) readonly earlier!: number;
  @ApiProperty({ type: 'integer' }) readonly later!: number;
  @ApiProperty({ type: 'integer', description: 'Promises that would get a due instant that they have not.' })
  readonly begun!: number;
  @ApiProperty({ type: 'integer', description: 'Promises that would lose theirs.' }) readonly ended!: number;
  @ApiProperty({ type: 'integer', description: 'Promises that would be due at once.' })
  readonly atOnce!: number;
  @ApiProperty({
    type: SecondsMovedAnswer,
    nullable: true,
    description: 'By how much those move that are due before and after.',
  })
  readonly seconds!: SecondsMovedAnswer | null;
}

export class PreviewAnswer {
  @text('The policy.') readonly policy!: string;
  @ApiProperty({ type: 'string', format: 'uuid', description: 'The proposal.' }) readonly proposal!: string;
  @at('From when on it is supposed to be in force.') readonly effective!: string;
  @text('It holds at least everything up to this.') readonly position!: string;
  @ApiProperty({ type: PreviewSummaryAnswer, nullable: true, description: 'On the first page only.' })
  readonly summary!: PreviewSummaryAnswer | null;
  @ApiProperty({ type: [PreviewItemAnswer], description: 'In the order of their opening.' })
  readonly items!: PreviewItemAnswer[];
  @maybe('Cursor of the next page; null on the last.') readonly next!: string | null;
}
