import { Ajv } from 'ajv';

export const rows = Ajv;
