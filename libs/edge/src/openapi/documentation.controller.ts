import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Module, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { notFound } from '../problem/problem.js';
import { Open, type EdgeReply } from '../run/request.js';
import { ApiDocument } from './document.js';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Covenant</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true, docExpansion: 'none', validatorUrl: null });
`;

/** Where the package lies; importing it would run a browser's program. */
const FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** All that the page loads comes from here; the policy makes the browser refuse anything else. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** `/openapi.json`, and `/docs` to browse it: Swagger UI from its npm package, nothing from elsewhere. */
@Controller()
@ApiExcludeController()
export class Documentation {
  constructor(private readonly document: ApiDocument) {}

  @Get('openapi.json')
  @Open()
  @Header('content-type', 'application/json; charset=utf-8')
  openapi(): string {
    return this.document.json;
  }

  @Get('docs')
  @Open()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', POLICY)
  page(): string {
    return PAGE;
  }

  @Get('docs/:file')
  @Open()
  async file(
    @Param('file') file: string,
    @Res({ passthrough: true }) reply: EdgeReply,
  ): Promise<string | Buffer> {
    if (file === 'start.js') {
      void reply.header('content-type', 'text/javascript; charset=utf-8');
      return START;
    }
    const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
    if (type === undefined) throw notFound();
    void reply.header('content-type', type);
    return readFile(join(FOLDER, file));
  }
}

/** The document and its page, once a process; `describeApi` completes it before it listens. */
@Module({ controllers: [Documentation], providers: [ApiDocument], exports: [ApiDocument] })
export class DocumentationModule {}
