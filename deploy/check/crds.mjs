// Custom resources against the schemas of their operators. Takes files of rendered objects.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const packages = resolve(dirname(fileURLToPath(import.meta.url)), '../../.tools/npm/node_modules');
// By path: packages resolve from this file's own folder otherwise.
const load = (path) => import(pathToFileURL(resolve(packages, path)));
const MODELS = {
  'keda.sh/': '@kubernetes-models/keda',
  'monitoring.coreos.com/': '@kubernetes-models/prometheus-operator',
  'gateway.networking.k8s.io/': '@kubernetes-models/gateway-api',
};

const { default: YAML } = await load('yaml/dist/index.js');
let problems = 0;
let validated = 0;
for (const file of process.argv.slice(2)) {
  for (const document of YAML.parseAllDocuments(readFileSync(file, 'utf8'))) {
    const object = document.toJS();
    const group = Object.keys(MODELS).find((group) => object?.apiVersion.startsWith(group));
    if (group === undefined) continue;
    try {
      const models = await load(`${MODELS[group]}/${object.apiVersion}/${object.kind}.js`);
      new models[object.kind](object).validate();
      validated += 1;
    } catch (error) {
      problems += 1;
      console.error(`${file}: ${object.kind} ${object.metadata?.name}: ${error.message}`);
    }
  }
}
console.log(`${validated} custom resources are as their schemas say, ${problems} are not`);
process.exitCode = problems === 0 ? 0 : 1;
