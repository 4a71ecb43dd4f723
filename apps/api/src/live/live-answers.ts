import { ApiProperty } from '@nestjs/swagger';
import { CLOCKS } from '#domain/sla';
import { ENDS } from './live-streams.js';

export class PassAnswer {
  @ApiProperty({ type: 'string', description: 'For `?pass=` of `/v1/live`, and for nothing else.' })
  readonly pass!: string;
  @ApiProperty({ type: 'string', format: 'date-time', description: 'A stream must be opened before.' })
  readonly expiresAt!: string;
}

export class StandingNews {
  @ApiProperty({ type: 'string', description: 'Everything after it is told from here on.' })
  readonly position!: string;
}

export class EndNews {
  @ApiProperty({ type: 'string', enum: ENDS })
  readonly because!: string;
}

export class ChangedNews {
  @ApiProperty({ type: 'string', enum: ['ticket', 'queue'] }) readonly object!: string;
  @ApiProperty({ type: 'string', description: 'Of the ticket or the queue.' }) readonly id!: string;
  @ApiProperty({ type: 'string', example: 'desk.ticket-assigned.v1' }) readonly type!: string;
  @ApiProperty({ type: 'integer', description: 'Of the object after it.' }) readonly revision!: number;
  @ApiProperty({ type: 'string', description: 'For ?after= of the read that follows.' })
  readonly position!: string;
  @ApiProperty({ type: 'string', format: 'date-time' }) readonly occurredAt!: string;
  @ApiProperty({ type: 'string', format: 'date-time' }) readonly recordedAt!: string;
}

class ReminderNews extends ChangedNews {
  @ApiProperty({ type: 'string', description: 'Number of the ticket.' }) readonly number!: string;
  @ApiProperty({ type: 'string', enum: CLOCKS }) readonly clock!: string;
  @ApiProperty({ type: 'integer' }) readonly cycle!: number;
  @ApiProperty({ type: 'string', nullable: true, description: 'Group it is with; null: the intake.' })
  readonly group!: string | null;
  @ApiProperty({ type: 'string', nullable: true, description: 'Agent who has it.' })
  readonly agent!: string | null;
}

export class OverdueNews extends ReminderNews {
  @ApiProperty({ type: 'string', format: 'date-time', description: 'The instant that passed.' })
  readonly due!: string;
}

export class ShareOfTarget {
  @ApiProperty({ type: 'integer' }) readonly numerator!: number;
  @ApiProperty({ type: 'integer' }) readonly denominator!: number;
}

export class DueSoonNews extends ReminderNews {
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'As it stood; null while the clock had none.',
  })
  readonly due!: string | null;
  @ApiProperty({ type: ShareOfTarget, description: 'Of its target that is used up.' })
  readonly share!: ShareOfTarget;
}
