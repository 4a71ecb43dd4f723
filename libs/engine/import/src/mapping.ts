import { type Channel, type Resolution, type StatedTime } from '#domain/desk';
import type { HoldReason, Priority } from '#domain/sla';

/**
 * How a log whose rows are snapshots of a case after a change is read into ticket histories. Data, never
 * code: its form is docs/schemas/import-mapping.schema.json, and what that says there is the reference.
 */
export interface ImportMapping {
  readonly name: string;
  /** Rises when the same rows would give other events. */
  readonly version: number;
  /** The system it comes from; part of every id, so it never changes for one system. */
  readonly source: string;
  readonly delimiter?: string;
  /** Cells that say nothing. */
  readonly missing: readonly string[];
  readonly time: {
    /** LDML letters (`d/M/yyyy HH:mm`), or `iso-8601`. */
    readonly format: string;
    /** IANA zone of times that carry none; `--zone` wins. */
    readonly zone?: string;
  };
  /** False where the source's history has no messages (ruling 9). */
  readonly carriesMessages: boolean;
  /** Columns that together name an update of a case. Absent: a hash of all cells (ruling 17). */
  readonly identity?: readonly string[];
  /** Columns that order updates of one instant; numbers go by value. */
  readonly order?: readonly string[];
  readonly columns: MappedColumns;
  readonly values: {
    readonly state: Readonly<Record<string, StateMeaning>>;
    readonly priority?: Readonly<Record<string, Priority>>;
    readonly channel?: Readonly<Record<string, Channel>>;
    readonly resolution?: Readonly<Record<string, Resolution>>;
  };
  /** What a value without translation becomes; each is counted all the same. */
  readonly otherwise?: { readonly channel?: Channel; readonly resolution?: Resolution };
  /** Texts of the opening; `{column}` stands for a cell. */
  readonly texts: { readonly subject: string; readonly text: string };
  /** The source's own times of a case: kept as data, their disagreements counted (ruling 17). */
  readonly stated?: Readonly<Partial<Record<StatedTime, string>>>;
  /** Which changes become events; all of them where absent. */
  readonly events?: readonly ChangeKind[];
}

export interface MappedColumns {
  readonly case: string;
  readonly updatedAt: string;
  readonly state: string;
  readonly updatedBy?: NamedColumn;
  readonly requester?: NamedColumn;
  readonly agent?: NamedColumn;
  readonly group?: NamedColumn;
  readonly category?: NamedColumn;
  readonly subcategory?: NamedColumn;
  readonly service?: NamedColumn;
  readonly vendor?: NamedColumn;
  readonly priority?: string;
  readonly channel?: string;
  readonly resolution?: string;
}

/** A column whose cells name somebody or something. */
export interface NamedColumn {
  readonly column: string;
  /** Name made of a cell, `Group {}`. */
  readonly label?: string;
  /** Persons only: which numbering the cell belongs to (`staff`); by default the column's own. */
  readonly space?: string;
  /** What a missing cell says: that it is as before, or that there is none. */
  readonly missing?: 'as-before' | 'none';
}

export type StateMeaning =
  | { readonly is: 'open' }
  | { readonly is: 'held'; readonly reason: HoldReason }
  | { readonly is: 'resolved' }
  | { readonly is: 'closed' };

export const CHANGE_KINDS = [
  'opened',
  'reopened',
  'resumed',
  'taken-back',
  'classified',
  'prioritised',
  'assigned',
  'transferred',
  'handed-to-vendor',
  'held',
  'resolved',
  'closed',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** `servicenow@1`, as case-imported names it. */
export const mappingRef = ({ name, version }: Pick<ImportMapping, 'name' | 'version'>): string =>
  `${name}@${version}`;

/** Every column that the mapping reads. */
export function mappedColumns(mapping: ImportMapping): readonly string[] {
  const { columns, identity = [], order = [], stated = {}, texts } = mapping;
  const named = Object.values(columns).map((column: string | NamedColumn) =>
    typeof column === 'string' ? column : column.column,
  );
  const inTexts = [...`${texts.subject}\n${texts.text}`.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1]!);
  return [...new Set([...named, ...identity, ...order, ...Object.values(stated), ...inTexts])];
}
