import { ApiProperty } from '@nestjs/swagger';
import { TIERS } from '#domain/desk';
import { HOLD_REASONS } from '#domain/sla';
import { STATUSES } from '#engine/views';
import { PersonAnswer, PromiseAnswer } from '../tickets/ticket-answers.js';

export class QueueCounts {
  @ApiProperty({ type: 'integer', description: 'Nobody has them, nothing holds them.' })
  readonly waiting!: number;
  @ApiProperty({ type: 'integer', description: 'They wait for something.' }) readonly held!: number;
  @ApiProperty({ type: 'integer', description: 'An agent has them.' }) readonly assigned!: number;
}

export class QueueAnswer {
  @ApiProperty({ type: 'string', description: 'intake, or the id of the group.' }) readonly id!: string;
  @ApiProperty({ type: 'string', nullable: true, description: 'Name of the group; null for the intake.' })
  readonly name!: string | null;
  @ApiProperty({ type: 'string', nullable: true, description: 'What the desk calls it.' })
  readonly title!: string | null;
  @ApiProperty({ type: 'boolean', description: 'False where only tickets make it.' })
  readonly defined!: boolean;
  @ApiProperty({ type: QueueCounts }) readonly counts!: QueueCounts;
}

export class QueuesAnswer {
  @ApiProperty({ type: [QueueAnswer] }) readonly items!: QueueAnswer[];
}

export class QueueItemAnswer {
  @ApiProperty({ type: 'string', format: 'uuid' }) readonly ticket!: string;
  @ApiProperty({ type: 'string', description: 'The number to say on the phone.' }) readonly number!: string;
  @ApiProperty({ type: 'string', nullable: true, description: 'One line; null where a key was destroyed.' })
  readonly subject!: string | null;
  @ApiProperty({ type: PersonAnswer }) readonly requester!: PersonAnswer;
  @ApiProperty({ type: 'integer', description: '1 critical to 4 low.' }) readonly priority!: number;
  @ApiProperty({ type: 'string', enum: TIERS }) readonly tier!: string;
  @ApiProperty({ type: 'string', enum: STATUSES }) readonly status!: string;
  @ApiProperty({ type: 'string', enum: ['waiting', 'held', 'assigned'] }) readonly standing!: string;
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description:
      'The earlier, the sooner it is served: due instant of its next open promise, never before it entered; null unless it waits.',
  })
  readonly rank!: string | null;
  @ApiProperty({ type: 'string', format: 'date-time', description: 'When its present or last wait began.' })
  readonly enteredAt!: string;
  @ApiProperty({ type: 'string', format: 'date-time' }) readonly openedAt!: string;
  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'The mark of what is overdue: since when a promise that is still open is not kept.',
  })
  readonly overdueSince!: string | null;
  @ApiProperty({ type: [String], enum: HOLD_REASONS, description: 'What it waits for.' })
  readonly holds!: string[];
  @ApiProperty({ type: PersonAnswer, nullable: true }) readonly agent!: PersonAnswer | null;
  @ApiProperty({ type: [PromiseAnswer] }) readonly promises!: PromiseAnswer[];
}

export class QueueItemsAnswer {
  @ApiProperty({ type: [QueueItemAnswer] }) readonly items!: QueueItemAnswer[];
  @ApiProperty({ type: 'string', nullable: true, description: 'Cursor of the next page; null on the last.' })
  readonly next!: string | null;
}
