import { ApiProperty } from '@nestjs/swagger';

export class TermAnswer {
  @ApiProperty({ type: 'string', format: 'uuid' }) readonly id!: string;
  @ApiProperty({
    type: 'string',
    nullable: true,
    description:
      'The word, where the request gave it: messages carry ids alone, and this process opens nothing sealed.',
  })
  readonly name!: string | null;
}

export class CandidateAnswer {
  @ApiProperty({ type: 'string', format: 'uuid' }) readonly ticket!: string;
  @ApiProperty({ type: 'string', description: 'The number to say on the phone.' }) readonly number!: string;
  @ApiProperty({ type: TermAnswer, nullable: true }) readonly category!: TermAnswer | null;
  @ApiProperty({ type: TermAnswer, nullable: true }) readonly subcategory!: TermAnswer | null;
  @ApiProperty({ type: 'string', description: 'solved, workaround or unspecified.' })
  readonly resolution!: string;
  @ApiProperty({ type: 'string', format: 'date-time' }) readonly resolvedAt!: string;
}

export class CandidatesAnswer {
  @ApiProperty({ type: [CandidateAnswer] }) readonly items!: CandidateAnswer[];
  @ApiProperty({ type: 'string', nullable: true, description: 'Cursor of the next page; null on the last.' })
  readonly next!: string | null;
}

export class CategoryAnswer {
  @ApiProperty({ type: TermAnswer, nullable: true, description: 'Null: tickets without a category.' })
  readonly category!: TermAnswer | null;
  @ApiProperty({ type: 'integer' }) readonly candidates!: number;
}

export class CategoriesAnswer {
  @ApiProperty({ type: [CategoryAnswer], description: 'The most candidates first; at most 1000.' })
  readonly items!: CategoryAnswer[];
}
