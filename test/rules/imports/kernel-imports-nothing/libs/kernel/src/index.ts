import type { Thing } from '#domain/sla';

export type Other = Thing;
