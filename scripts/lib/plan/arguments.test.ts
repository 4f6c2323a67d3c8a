import { expect, test } from 'vitest';
import { advise, capacityInput, capacityOf, planInput } from '../../../src/plan/index.ts';
import { readArguments } from './arguments.ts';
import { adviceView, capacityView, efficiencyView } from './views.ts';

const here = { cores: 2, memoryMb: 4_096 };
const read = (line: string) => readArguments(line.split(' ').filter(Boolean), here);

test('flags become what the planner takes, on this machine unless another is named', () => {
  const { what, body } = read('--cpu-ms 300 --memory-mb 20 --users 5 --jobs 2 --deadline-s 30');
  expect(what).toBe('advice');
  expect(planInput.parse(body)).toMatchObject({
    machine: { cores: 2, memoryMb: 4_096, shared: true },
    job: { cpuMs: 300, waitMs: 0, memoryMb: 20 },
    target: { users: 5, jobsPerUser: 2, deadlineMs: 30_000 },
    assume: { efficiency: 1 },
  });
  const other = planInput.parse(read('--cpu-ms 300 --cores 8 --apart --efficiency 0.9').body);
  expect(other).toMatchObject({
    machine: { cores: 8, memoryMb: 4_096, shared: false },
    assume: { efficiency: 0.9 },
  });
});

test('a crowd on slots that are given is on no machine in particular', () => {
  const { body } = read('capacity --users 1000 --jobs 10 --workers 3 --slots 6 --cpu-ms 60000');
  const made = capacityOf(capacityInput.parse(body));
  const lines = capacityView(made).join('\n');
  expect(lines).toContain('18 slots x 3,600 s / 60 s = 1,080 jobs/h');
  const counted = capacityInput.parse(read('capacity --workers 3 --cpu-ms 60000').body);
  expect(counted.machine).toMatchObject(here);
});

test('a kind is named instead of a job', () => {
  const { body, url } = read('--kind forecast --url http://127.0.0.1:9');
  expect([body['kind'], 'job' in body, url]).toEqual(['forecast', false, 'http://127.0.0.1:9']);
});

test.each([
  ['cap --cpu-ms 1', 'usage'],
  ['capacity', 'which job'],
  ['--cpu-ms soon', '--cpu-ms: is no number'],
  ['--cpu-ms 1 --seats 2', 'seats'],
])('%s is refused', (line, why) => {
  expect(() => read(line)).toThrow(why);
});

test('what is shown has every formula, what bounds a number and what was taken for granted', () => {
  const lines = adviceView(advise(planInput.parse(read('--cpu-ms 300').body))).join('\n');
  expect(lines).toContain('1 slot x 3,600 s / 0.3 s = 12,000 jobs/h');
  expect(lines).toContain('bound by: cpu');
  expect(lines).toContain('taken for granted: reserveMb');
  expect(efficiencyView([])).toEqual(['no lane was seen']);
});
