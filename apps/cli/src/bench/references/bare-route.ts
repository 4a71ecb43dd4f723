import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';

/**
 * The reference of the bench `http`: a route of the same framework that inserts one row and commits, and
 * nothing else. A program of its own; the environment gives PORT and DATABASE_URL.
 */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
await pool.query('CREATE TABLE bare (id bigserial PRIMARY KEY, body jsonb NOT NULL)');

@Controller('v1/tickets')
class Bare {
  @Post()
  async insert(@Body() body: unknown): Promise<{ id: string }> {
    const { rows } = await pool.query<{ id: string }>({
      name: 'insert',
      text: 'INSERT INTO bare (body) VALUES ($1) RETURNING id',
      values: [body],
    });
    return { id: rows[0]!.id };
  }
}

@Module({ controllers: [Bare] })
class BareModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter() as never, {
  logger: false,
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => void app.close().then(() => pool.end()));
