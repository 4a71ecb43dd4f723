import { ApiProperty } from '@nestjs/swagger';
import { TIERS } from '#domain/desk';
import { CLOCKS } from '#domain/sla';

const count = (description: string): PropertyDecorator => ApiProperty({ type: 'integer', description });
const share = (description: string): PropertyDecorator =>
  ApiProperty({ type: 'number', nullable: true, minimum: 0, maximum: 1, description });

export class AttainmentLineAnswer {
  @ApiProperty({
    type: 'string',
    nullable: true,
    description:
      'Local civil month, as in 2026-11, in which these were decided or fall due; null where nothing is due as it stands.',
  })
  readonly month!: string | null;
  @ApiProperty({ type: 'string', description: 'Policy and version, `default@1`.' }) readonly policy!: string;
  @ApiProperty({ type: 'string', enum: TIERS }) readonly tier!: string;
  @count('1 critical to 4 low, when the promise ended, else now.') readonly priority!: number;
  @ApiProperty({ type: 'string', enum: CLOCKS }) readonly clock!: string;

  @count('All cycles: met, missed, open, openBreached and the three outside the denominator.')
  readonly cycles!: number;
  @count('Ended at or before their due.') readonly met!: number;
  @count('Those of met that a reopen may yet take back.') readonly provisional!: number;
  @count('Ended after their due.') readonly missed!: number;
  @count('Go on, and can still be met.') readonly open!: number;
  @count('Go on, and their due has passed.') readonly openBreached!: number;
  @count('Ended without an answer being owed; outside the denominator.') readonly notApplicable!: number;
  @count('Their source carries no evidence; outside the denominator.') readonly notEvidenced!: number;
  @count('Another ticket’s clock went on in their place; outside the denominator.') readonly merged!: number;
  @share('met / (met + missed + openBreached); null where that is 0 of 0.')
  readonly attainment!: number | null;

  @count('Business-seconds used by those met or missed.') readonly consumed!: number;
  @count('Business-seconds for which those met or missed were paused.') readonly paused!: number;
  @share('paused / (paused + consumed); null where that is 0 of 0.') readonly pausedShare!: number | null;
}

export class AttainmentAnswer {
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    description: 'The moment by which outcomes are provisional or no longer.',
  })
  readonly at!: string;
  @ApiProperty({ type: [AttainmentLineAnswer] }) readonly items!: AttainmentLineAnswer[];
  @ApiProperty({ type: 'string', nullable: true, description: 'Cursor of the next page; null on the last.' })
  readonly next!: string | null;
}
