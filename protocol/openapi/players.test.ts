import { describe, expect, it } from 'vitest';
import { kinds, type Kind, type KindName } from '../kinds/index.ts';
import { end } from '../messages/server.ts';
import { jobStatus, playersDocument } from './index.ts';
import { inputExamples } from './examples.ts';
import { faultsOf } from './sound.fixture.ts';

const all: readonly Kind[] = Object.values(kinds);

describe("the players' document", () => {
  it.each([true, false])('is sound, drills shown: %s', (drills) => {
    expect(faultsOf(playersDocument(drills))).toEqual([]);
  });

  it.each(all)('has a path for $name, with its schemas and an example that it takes', (kind) => {
    const { paths, components } = playersDocument(true);
    const body = paths[`/v1/jobs/${kind.name}`]?.post?.requestBody?.content['application/json'];
    const name = String(body?.schema['$ref']).split('/').at(-1) ?? '';
    expect(Object.keys(components.schemas)).toContain(name);
    expect(Object.keys(components.schemas)).toContain(name.replace(/Input$/, 'Result'));
    const example = inputExamples[kind.name as KindName];
    expect(body?.example).toEqual(example);
    expect(example === undefined || kind.input.safeParse(example).success).toBe(true);
  });

  it('shows answers that are ones', () => {
    const { paths } = playersDocument(true);
    const taken = paths['/v1/jobs/forecast']?.post?.responses['202']?.content;
    const looked = paths['/v1/jobs/{id}']?.get?.responses['200']?.content;
    expect(jobStatus.safeParse(taken?.['application/json']?.example).success).toBe(true);
    expect(end.safeParse(looked?.['application/json']?.example).success).toBe(true);
  });

  it('says nothing of drills where there are none', () => {
    expect(JSON.stringify(playersDocument(false))).not.toContain('drill');
  });
});
