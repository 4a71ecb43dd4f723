/**
 * The app that the first argument names, in this very process, so that signals reach it: `api`, or
 * `cli token --role agent --name alice`.
 */
import { existsSync, readdirSync } from 'node:fs';

const APPS = new URL('../dist/apps/', import.meta.url);
const main = (app) => new URL(`${app}/src/main.js`, APPS);

const apps = readdirSync(APPS).filter((app) => existsSync(main(app)));
const [app] = process.argv.splice(2, 1);
if (app !== undefined && apps.includes(app)) await import(main(app));
else {
  console.error(`covenant: name an app: ${apps.join(', ')}`);
  process.exitCode = 2;
}
