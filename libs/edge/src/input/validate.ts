import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { plainToInstance, TransformationType } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import {
  getMetadataStorage,
  validateSync,
  ValidationTypes,
  type ValidationArguments,
  type ValidationError,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { badInput, type FieldProblem } from '../problem/problem.js';

type Dto = new () => object;

/** One property of a flat DTO; `accepts` answers without making messages. */
interface Rule {
  readonly property: string;
  readonly accepts: (object: object, value: unknown) => boolean;
}

/** A DTO made ready: its rules by property, or null where only the library can judge it (nested, transformed). */
type Compiled = ReadonlyMap<string, Rule> | null;

const compiled = new WeakMap<Dto, Compiled>();

/**
 * A plain body or query as an instance of its DTO: unknown fields are refused, and all that is wrong is
 * named at once.
 *
 * class-validator groups its metadata anew on each call; here that is done once per DTO, and the library is
 * asked only where an input fails (for its words) or where a DTO is nested or transformed.
 *
 * @throws Problem `bad-input`
 */
export function valid<T extends object>(dto: new () => T, given: unknown): T {
  const plain: object = typeof given === 'object' && given !== null ? given : {};
  if ((given !== undefined && plain !== given) || Array.isArray(plain))
    throw badInput([{ field: '', problem: 'must be an object' }]);
  const rules = compile(dto);
  if (rules !== null) {
    const instance = Object.assign(new dto(), plain);
    const known = Object.keys(plain).every((name) => rules.has(name));
    if (known && accepted(instance as Record<string, unknown>, rules)) return instance;
  }
  return judged(dto, plain);
}

function accepted(instance: Readonly<Record<string, unknown>>, rules: NonNullable<Compiled>): boolean {
  for (const { property, accepts } of rules.values())
    if (!accepts(instance, instance[property])) return false;
  return true;
}

function judged<T extends object>(dto: new () => T, plain: object): T {
  // The library looks names up in plain objects, so that `constructor` would count as known (and mislead it).
  const foreign = inheritedNames(plain, '');
  if (foreign.length > 0) throw badInput(foreign.map((field) => ({ field, problem: 'is not known here' })));
  const instance = plainToInstance(dto, plain);
  const errors = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0) throw badInput(errors.flatMap((error) => fieldProblems(error, '')));
  return instance;
}

function inheritedNames(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const here = path === '' ? name : `${path}.${name}`;
    return !Array.isArray(value) && name in Object.prototype ? [here] : inheritedNames(member, here);
  });
}

function fieldProblems(error: ValidationError, path: string): FieldProblem[] {
  const field = path === '' ? (error.property ?? '') : `${path}.${error.property}`;
  const own = Object.entries(error.constraints ?? {}).map(([constraint, message]) => ({
    field,
    problem:
      constraint === ValidationTypes.WHITELIST ? 'is not known here' : withoutName(message, error.property),
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldProblems(child, field))];
}

/** `subject must be a string` is told as `must be a string` of the field `subject`. */
function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}

function compile(dto: Dto): Compiled {
  let rules = compiled.get(dto);
  if (rules === undefined) {
    rules = compiledAnew(dto);
    compiled.set(dto, rules);
  }
  return rules;
}

function compiledAnew(dto: Dto): Compiled {
  const storage = getMetadataStorage();
  const metadata = storage.getTargetValidationMetadatas(dto, '', false, false);
  const rules = new Map<string, Rule>();
  for (const [property, grouped] of Object.entries(storage.groupByPropertyName(metadata))) {
    if (isTransformed(dto, property)) return null;
    const conditions: ((object: object, value: unknown) => boolean)[] = [];
    const tests: ((object: object, value: unknown) => boolean)[] = [];
    for (const one of grouped) {
      if ((one.groups?.length ?? 0) > 0 || one.validateIf) return null;
      if (one.type === ValidationTypes.CONDITIONAL_VALIDATION) {
        const condition = one.constraints[0] as (object: object, value: unknown) => boolean;
        conditions.push((object, value) => condition(object, value));
        continue;
      }
      if (one.type === ValidationTypes.WHITELIST) continue;
      if (!one.constraintCls) return null;
      for (const constraint of storage.getTargetValidatorConstraints(one.constraintCls)) {
        if (constraint.async) return null;
        const instance: ValidatorConstraintInterface = constraint.instance;
        const test = (object: object, value: unknown): boolean => {
          const args: ValidationArguments = {
            value,
            object,
            property,
            constraints: one.constraints,
            targetName: dto.name,
          };
          return instance.validate(value, args) === true;
        };
        tests.push(
          one.each
            ? (object, value) => Array.isArray(value) && value.every((item) => test(object, item))
            : test,
        );
      }
    }
    rules.set(property, {
      property,
      accepts: (object, value) =>
        !conditions.every((condition) => condition(object, value)) ||
        tests.every((test) => test(object, value)),
    });
  }
  return rules;
}

function isTransformed(dto: Dto, property: string): boolean {
  const storage = defaultMetadataStorage;
  return (
    storage.findTypeMetadata(dto, property) !== undefined ||
    storage.findExposeMetadata(dto, property) !== undefined ||
    storage.findExcludeMetadata(dto, property) !== undefined ||
    storage.findTransformMetadatas(dto, property, TransformationType.PLAIN_TO_CLASS).length > 0
  );
}

const PRIMITIVES: readonly unknown[] = [String, Number, Boolean, Object, Array, undefined];

/** The global pipe: whatever a route declares as a class is valid when the route runs. */
@Injectable()
export class ValidInput implements PipeTransform {
  transform(value: unknown, { metatype, type }: ArgumentMetadata): unknown {
    if (type === 'custom' || PRIMITIVES.includes(metatype)) return value;
    return valid(metatype as Dto, value);
  }
}
