import { afterAll, describe, expect, it } from 'vitest';
import { Terminal } from './terminal.ts';

/** A cluster whose time is moved, as a user types it. */
const terminal = new Terminal();
afterAll(async () => {
  await terminal.line('weir cluster delete --name clock', { mayFail: true });
  await terminal.close();
});

const kubectl = async (line: string): Promise<{ readonly code: number; readonly out: string }> => {
  const { code, stdout, stderr } = await terminal.line(`kubectl --context weir-clock ${line}`, { mayFail: true });
  return { code, out: stdout + stderr };
};

describe('weir cluster --clock=manual', () => {
  it('shows a rollout of an hour in seconds', async () => {
    await terminal.line('weir cluster create --name clock --ephemeral --clock=manual');
    await kubectl('create deployment good --image=nginx:1');
    await kubectl('create deployment broken --image=nginx:missing');
    await terminal.line('weir cluster advance 1h --name clock');
    expect(await kubectl('rollout status deployment good')).toMatchObject({ code: 0 });
    const broken = await kubectl('rollout status deployment broken');
    expect(broken.code).toBe(1);
    expect(broken.out).toContain('error: deployment "broken" exceeded its progress deadline');
    expect((await kubectl('get pods')).out).toMatch(/ImagePullBackOff|ErrImagePull/);
  });

  it('refuses other clocks and other durations', async () => {
    const clock = await terminal.line('weir cluster create --name other --clock=fast', { mayFail: true });
    expect([clock.code, clock.stderr]).toEqual([1, expect.stringContaining('"fast" is no clock')]);
    const duration = await terminal.line('weir cluster advance soon --name clock', { mayFail: true });
    expect([duration.code, duration.stderr]).toEqual([1, expect.stringContaining('invalid duration')]);
  });
});
