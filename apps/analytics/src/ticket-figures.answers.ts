import { ApiProperty } from '@nestjs/swagger';

const count = (description: string): PropertyDecorator => ApiProperty({ type: 'integer', description });

export class Figures {
  @count('Tickets opened.') readonly opened!: number;
  @count('Tickets that got their first public answer that was not automatic.') readonly answered!: number;
  @count('Resolutions; a ticket that was reopened can have several.') readonly resolved!: number;
  @count('Reopenings.') readonly reopened!: number;
  @count('Open tickets that went on in another.') readonly merged!: number;
  @count('Promises broken, by the day of their due instant; annulled ones are taken back.')
  readonly breached!: number;
  @count('Of these, first responses.') readonly firstResponseBreached!: number;
  @count('Of these, resolutions.') readonly resolutionBreached!: number;
}

export class FiguresLine extends Figures {
  @ApiProperty({ type: 'string', format: 'date', required: false, description: 'With by=day.' })
  readonly day?: string;
  @ApiProperty({ type: 'string', required: false, description: 'With by=tier.' }) readonly tier?: string;
  @ApiProperty({ type: 'string', required: false, description: 'With by=channel.' })
  readonly channel?: string;
}

export class TicketFiguresAnswer {
  @ApiProperty({ type: 'string', format: 'date', description: 'First day counted.' }) readonly from!: string;
  @ApiProperty({ type: 'string', format: 'date', description: 'Last day counted.' }) readonly to!: string;
  @ApiProperty({ type: 'string', description: 'IANA zone whose days these are.' }) readonly zone!: string;
  @ApiProperty({ type: [String], enum: ['day', 'tier', 'channel'] }) readonly by!: string[];
  @ApiProperty({ type: [FiguresLine], description: 'In order; what was not counted has no line.' })
  readonly items!: FiguresLine[];
  @ApiProperty({ type: Figures, description: 'Of all lines.' }) readonly total!: Figures;
}
