import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyServiceWorld, SOPS_ROLE } from '../../../tests/support/cloud/key-service-world.ts';
import { shop } from '../../../tests/support/cloud/shop-account.ts';

let world: KeyServiceWorld;
beforeAll(async () => {
  world = await KeyServiceWorld.start();
});
beforeEach(() => world.renew());
afterAll(() => world.close());

const awsFile = (keys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): string =>
  `aws_access_key_id: ${keys.accessKeyId}\naws_secret_access_key: ${keys.secretAccessKey}\n${keys.sessionToken === undefined ? '' : `aws_session_token: ${keys.sessionToken}\n`}`;

describe('a key of AWS KMS', () => {
  it('is opened with keys of the Secret, of the engine, or of a service account', async () => {
    const tenant = world.aws.issue('arn:aws:iam::1:user/tenant');
    expect(await world.open(world.kms(), { secret: { 'sops.aws-kms': awsFile(tenant) } })).toBe('opened');
    const session = world.aws.issue('arn:aws:iam::1:user/tenant', true);
    expect(await world.open(world.kms(), { secret: { 'sops.aws-kms': awsFile(session) } })).toBe('opened');
    const env = { AWS_ACCESS_KEY_ID: tenant.accessKeyId, AWS_SECRET_ACCESS_KEY: tenant.secretAccessKey };
    expect(await world.open(world.kms(), { env })).toBe('opened');
    expect(await world.open(world.kms(), { principal: shop })).toBe('opened');
  });

  it('is opened in a context, and as a role that the file names', async () => {
    const secret = { 'sops.aws-kms': awsFile(world.aws.issue('arn:aws:iam::1:user/tenant')) };
    const context = [['app', 'shop'] as const, ['__proto__', 'x'] as const];
    const key = world.kms({ context: [['app', 'shop']] });
    expect(await world.open(key, { secret })).toBe('opened');
    expect(await world.open({ ...key, context: [['app', 'other']] }, { secret })).toContain(
      'InvalidCiphertextException',
    );
    expect(await world.open({ ...key, context }, { secret })).toContain('InvalidCiphertextException');
    expect(await world.open(world.kms({ role: SOPS_ROLE }), { secret })).toBe('opened');
    expect(await world.open(world.kms({ role: 'arn:aws:iam::1:role/other' }), { secret })).toContain(
      "failed to assume role 'arn:aws:iam::1:role/other': STS AssumeRole: status 403: AccessDenied: User: arn:aws:iam::1:user/tenant",
    );
  });

  it('is told to be closed in the words of the service, without a credential', async () => {
    const nobody = world.aws.issue('arn:aws:iam::1:user/nobody');
    const secret = { 'sops.aws-kms': awsFile(nobody) };
    expect(await world.open(world.kms(), { secret })).toBe(
      'failed to decrypt sops data key with AWS KMS: status 400: AccessDeniedException: User: arn:aws:iam::1:user/nobody may not',
    );
    const wrong = awsFile({ ...nobody, secretAccessKey: 'guess' });
    const answer = await world.open(world.kms(), { secret: { 'sops.aws-kms': wrong } });
    expect(answer).toContain('The request signature we calculated does not match');
    expect(answer).not.toContain('guess');
    expect(await world.open(world.kms(), { secret: { 'sops.aws-kms': 'x: y' } })).toContain('lack aws_access_key_id');
    expect(await world.open(world.kms(), { secret: { 'sops.aws-kms': 'aws_secret_access_key: "abc' } })).toMatch(
      /^failed to unmarshal AWS credentials file: it is not YAML \(line \d+\)$/,
    );
  });

  it.each([
    ['arn:aws:kms:evil.example/:1:key/k', "'evil.example/' is not a region of AWS"],
    ['arn:aws:kms:x@evil.example:1:key/k', "'x@evil.example' is not a region of AWS"],
    ['arn:aws:kms:eu-west-1.evil.example:1:key/k', 'is not a region of AWS'],
    ['alias/k', "no valid ARN found in 'alias/k'"],
  ])('sends nothing for the ARN %s', async (arn, message) => {
    const secret = { 'sops.aws-kms': awsFile(world.aws.issue('arn:aws:iam::1:user/tenant')) };
    expect(await world.open(world.kms({ arn }), { secret })).toContain(message);
    expect(world.internet.requests).toEqual([]);
  });

  it('is asked for where the environment of the engine says, and only there', async () => {
    const keys = world.aws.issue('arn:aws:iam::1:user/tenant');
    world.internet.serve('kms.local', () => ({
      body: JSON.stringify({ Plaintext: world.dataKey.toString('base64') }),
    }));
    const env = { AWS_ENDPOINT_URL_KMS: 'http://kms.local/', AWS_ENDPOINT_URL: 'http://other.local' };
    expect(await world.open(world.kms(), { env, secret: { 'sops.aws-kms': awsFile(keys) } })).toBe('opened');
    expect(world.internet.requests).toEqual(['POST http://kms.local/']);
  });
});
