import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import ts from 'typescript';

const ROOT = process.cwd();

/** A program over the project's sources in which one file at a time may read differently than it does. */
function checker() {
  const configPath = join(ROOT, 'tsconfig.json');
  const { config } = ts.readConfigFile(configPath, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const sources = fileNames.filter((name) => /\/(libs|apps)\//.test(name) && !name.endsWith('.spec.ts'));
  const changed = new Map<string, { version: number; text: string | undefined }>();
  const read = (name: string): string | undefined => changed.get(name)?.text ?? ts.sys.readFile(name);
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({
      ...options,
      noEmit: true,
      incremental: false,
      tsBuildInfoFile: undefined,
    }),
    getScriptFileNames: () => sources,
    getScriptVersion: (name) => String(changed.get(name)?.version ?? 0),
    getScriptSnapshot: (name) => {
      const text = read(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
    fileExists: (name) => ts.sys.fileExists(name),
    readFile: read,
    directoryExists: (name) => ts.sys.directoryExists(name),
    getDirectories: (name) => ts.sys.getDirectories(name),
  });
  const compiles = (name: string): boolean =>
    service.getSemanticDiagnostics(name).length + service.getSyntacticDiagnostics(name).length === 0;
  return {
    sources,
    parsed: (name: string) => service.getProgram()!.getSourceFile(name)!,
    compiles,
    compilesAs: (name: string, text: string): boolean => {
      const version = changed.get(name)?.version ?? 0;
      changed.set(name, { version: version + 1, text });
      const answer = compiles(name);
      changed.set(name, { version: version + 2, text: undefined });
      return answer;
    },
  };
}

/** A switch that claims to be complete: it ends in `never(…)`, as its default or right after it. */
function* completeSwitches(node: ts.Node): Generator<ts.SwitchStatement> {
  if (ts.isSwitchStatement(node)) {
    const last = node.caseBlock.clauses.at(-1);
    const byDefault = last !== undefined && ts.isDefaultClause(last) && callsNever(last);
    const siblings =
      ts.isBlock(node.parent) || ts.isSourceFile(node.parent) ? node.parent.statements : undefined;
    const next = siblings?.[siblings.indexOf(node) + 1];
    if (byDefault || (next !== undefined && callsNever(next))) yield node;
  }
  // Children one by one: `forEachChild` cannot yield.
  const children: ts.Node[] = [];
  node.forEachChild((child) => void children.push(child));
  for (const child of children) yield* completeSwitches(child);
}

function callsNever(node: ts.Node): boolean {
  return /\bnever\(/.test(node.getText());
}

/** The file without this branch; of labels that share a body only the label goes. */
function without(clause: ts.CaseClause, clauses: readonly ts.CaseOrDefaultClause[], text: string): string {
  const before = clauses[clauses.indexOf(clause) - 1];
  const shared = clause.statements.length > 0 && before !== undefined && before.statements.length === 0;
  const start = clause.getStart();
  const end = shared ? text.indexOf(':', clause.expression.end) + 1 : clause.end;
  return text.slice(0, start) + text.slice(end);
}

describe('A fold without one of its branches', () => {
  it('does not compile, whichever fold and whichever branch', () => {
    const { sources, parsed, compiles, compilesAs } = checker();
    const silent: string[] = [];
    let branches = 0;
    for (const name of sources) {
      const file = parsed(name);
      const switches = [...completeSwitches(file)];
      if (switches.length === 0) continue;
      expect({ name, compiles: compiles(name) }).toEqual({ name, compiles: true });
      for (const { caseBlock } of switches) {
        for (const clause of caseBlock.clauses) {
          if (!ts.isCaseClause(clause)) continue;
          branches += 1;
          if (compilesAs(name, without(clause, caseBlock.clauses, file.text))) {
            const { line } = file.getLineAndCharacterOfPosition(clause.getStart());
            silent.push(`${name}:${line + 1} without ${clause.expression.getText()}`);
          }
        }
      }
    }
    expect(silent).toEqual([]);
    expect(branches).toBeGreaterThan(100);
  });
});
