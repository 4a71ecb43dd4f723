import { Injectable, Module, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { grant, type Operation } from '#domain/access';
import { Problem } from '../problem/problem.js';
import { callerOf, type EdgeRequest } from '../run/request.js';
import { OPERATION } from './operation.js';

/**
 * Lets a request pass only where the caller's role has a row for the route's operation (ruling 53). A route
 * without an operation is reached only if it is open.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly operations = new Map<object, Operation | null>();

  canActivate(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    let operation = this.operations.get(handler);
    if (operation === undefined) {
      operation = (Reflect.getMetadata(OPERATION, handler) as Operation | undefined) ?? null;
      this.operations.set(handler, operation);
    }
    const request = context.switchToHttp().getRequest<EdgeRequest>();
    if (operation === null) {
      // Whoever needs no token is known to nobody.
      if (request.caller === null) return true;
      throw new Error(`${context.getClass().name}.${handler.name} names no row of the access table`);
    }
    if (!grant(operation, callerOf(request).role))
      throw Problem.of('not-permitted', 'Your role has no part in this.');
    return true;
  }
}

/** The guard, once a process, however many modules with routes it is made of. */
@Module({ providers: [{ provide: APP_GUARD, useClass: AccessGuard }] })
export class AccessModule {}
