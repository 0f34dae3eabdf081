import { field, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../answers.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import type { GcpToken } from './token-request.ts';

/** Source: cloud.google.com/go/compute/metadata. */
const HOST = '169.254.169.254';

/** A value of the metadata server of the machine. */
async function metadataText(ports: CloudPorts, path: string): Promise<Result<string, string>> {
  const answer = await ask(ports, path);
  if (!answer.ok) return answer;
  const text = answer.value.text.trim();
  return answer.value.status === 200 && text !== '' ? ok(text) : err(`${path}: ${explainAnswer(answer.value)}`);
}

/** The token of the machine's service account. */
export async function machineToken(ports: CloudPorts, scopes: readonly string[]): Promise<GcpToken> {
  const query = new URLSearchParams({ scopes: scopes.join(',') });
  const answer = await ask(ports, `instance/service-accounts/default/token?${query.toString()}`);
  if (!answer.ok) return err(`the metadata server of the machine: ${answer.error}`);
  if (answer.value.status !== 200) return err(`the metadata server of the machine: ${explainAnswer(answer.value)}`);
  const body = jsonBody(answer.value);
  const value = stringAt(body, 'access_token');
  if (!value) return err('the metadata server of the machine gave no token');
  return ok({ value, expiresAtMs: ports.clock.now() + Number(field(body, 'expires_in') ?? 0) * 1000 });
}

/** The GKE cluster that the engine runs in: its pool of identities, and the whole audience of its tokens. */
export async function gkeIdentity(
  ports: CloudPorts,
): Promise<Result<{ readonly pool: string; readonly audience: string }, string>> {
  const values: string[] = [];
  for (const [what, path] of [
    ['project ID', 'project/project-id'],
    ['location', 'instance/attributes/cluster-location'],
    ['name', 'instance/attributes/cluster-name'],
  ] as const) {
    const value = await metadataText(ports, path);
    if (!value.ok) return err(`failed to get GKE cluster ${what} from the metadata service: ${value.error}`);
    values.push(value.value);
  }
  const [project, location, name] = values;
  const pool = `${project}.svc.id.goog`;
  const provider = `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${name}`;
  return ok({ pool, audience: `identitynamespace:${pool}:${provider}` });
}

function ask(ports: CloudPorts, path: string): ReturnType<CloudPorts['web']> {
  const host = ports.env['GCE_METADATA_HOST'] || HOST;
  const url = `http://${host}/computeMetadata/v1/${path}`;
  return ports.web({ method: 'GET', url, headers: { 'metadata-flavor': 'Google' }, direct: true });
}
