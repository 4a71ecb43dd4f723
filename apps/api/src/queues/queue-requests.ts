import { Name } from '../requests/fields.js';

export class DefineQueueRequest {
  @Name({ about: 'Group whose tickets wait in it; letter case does not count.', example: 'Network' })
  readonly group!: string;

  @Name({
    about: 'What the desk calls the queue; the group’s name unless given. Defining again renames.',
    optional: true,
  })
  readonly title?: string;
}
