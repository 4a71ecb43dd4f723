import { ApiProperty } from '@nestjs/swagger';
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
