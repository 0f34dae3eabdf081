import { type FuncMap, func } from '../gotemplate/func.ts';
import { STRING } from '../gotemplate/go-type.ts';
import { type Func, GoError } from '../gotemplate/value.ts';
import { certificateFunctions } from './certificates.ts';
import { cryptoFunctions } from './crypto.ts';
import { dateFunctions } from './dates.ts';
import { defaultFunctions } from './defaults.ts';
import { dictFunctions } from './dicts.ts';
import { encodingFunctions } from './encoding.ts';
import type { TemplateHost } from './host.ts';
import { jsonFunctions } from './json.ts';
import { MAX_KEYS, meter } from './limits.ts';
import { listFunctions } from './lists.ts';
import { numberFunctions } from './numbers.ts';
import { pathFunctions } from './paths.ts';
import { randomFunctions } from './random.ts';
import { regexFunctions } from './regexps.ts';
import { semverFunctions } from './semvers.ts';
import { stringFunctions } from './strings.ts';
import { tomlFunctions } from './toml.ts';
import { urlFunctions } from './urls.ts';
import { yamlFunctions } from './yaml.ts';

/**
 * The functions of Helm's templates beside Go's builtins, by name. `include`, `tpl`, `required`, `fail` and `lookup` are not
 * among them: they need the renderer. Make a new map for each rendering: it counts what is expensive (see `limits.ts`).
 * Source: helm@4.1.4 pkg/engine/funcs.go, sprig@3.3.0 functions.go.
 */
export function templateFunctions(host: TemplateHost): Map<string, Func> {
  const countKey = meter('new keys', MAX_KEYS);
  const groups: readonly FuncMap[] = [
    stringFunctions(),
    numberFunctions(),
    listFunctions(),
    dictFunctions(),
    defaultFunctions(),
    encodingFunctions(),
    jsonFunctions(),
    yamlFunctions(),
    tomlFunctions(),
    dateFunctions(host),
    regexFunctions(),
    urlFunctions(),
    pathFunctions(),
    semverFunctions(),
    randomFunctions(host.crypto),
    cryptoFunctions(host.crypto, countKey),
    certificateFunctions(host, countKey),
    new Map([['getHostByName', func([STRING], (name) => addressOf(name, host))]]),
  ];
  return new Map(groups.flatMap((group) => Array.from(group)));
}

/** Go takes any of the addresses; an unknown name leaves none to take. */
function addressOf(name: string, host: TemplateHost): string {
  if (host.addressesOf === undefined) return '';
  const [first] = host.addressesOf(name);
  if (first === undefined) throw new GoError('invalid argument to Intn');
  return first;
}
