/** One instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  /** `COPY`. */
  readonly name: string;
  /** As it stands. */
  readonly text: string;
  /** Of its JSON form, or divided at spaces; without flags. */
  readonly words: readonly string[];
  /** `--from=build` as `{ from: 'build' }`. */
  readonly flags: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly image: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** Stages with their instructions, `ARG`s before the first put into the `FROM`s. @throws where it cannot be read */
export function readDockerfile(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const defaults: Record<string, string> = {};
  const stages: { image: string; name: string; instructions: Instruction[] }[] = [];
  for (const instruction of lines.map(read)) {
    const { name, words } = instruction;
    const current = stages.at(-1);
    if (name === 'FROM') {
      const [image, as, stage] = words;
      if (as?.toUpperCase() !== 'AS' || stage === undefined)
        throw new Error(`a stage without a name: ${instruction.text}`);
      const filled = image!.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => {
        if (defaults[variable] === undefined) throw new Error(`${variable} has no default`);
        return defaults[variable];
      });
      stages.push({ image: filled, name: stage, instructions: [] });
    } else if (name === 'ARG' && !current) {
      const [variable, value] = words[0]!.split('=');
      defaults[variable!] = value ?? '';
    } else if (current) current.instructions.push(instruction);
    else throw new Error(`${name} before the first FROM`);
  }
  return stages;
}

function read(line: string): Instruction {
  const [, name, text] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(line) ?? [];
  if (name === undefined || text === undefined) throw new Error(`no instruction: ${line}`);
  const json = /\[.*\]$/.exec(text);
  const words = json ? (JSON.parse(json[0]) as string[]) : (text.match(/(?:[^\s"]|"[^"]*")+/g) ?? []);
  const before = json ? text.slice(0, json.index).trim().split(/\s+/) : words;
  const flags = before.filter((word) => word.startsWith('--'));
  return {
    name: name.toUpperCase(),
    text,
    words: words.filter((word) => json || !word.startsWith('--')),
    flags: Object.fromEntries(
      flags.map((flag) => /^--([\w-]+)=(.*)$/.exec(flag)!.slice(1) as [string, string]),
    ),
  };
}

/** The variables that `ENV` sets. */
export function variablesOf({ instructions }: Stage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    instructions
      .filter(({ name }) => name === 'ENV')
      .flatMap(({ words }) => words)
      .map((word) => [
        word.slice(0, word.indexOf('=')),
        word.slice(word.indexOf('=') + 1).replaceAll('"', ''),
      ]),
  );
}
