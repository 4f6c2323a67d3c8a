/**
 * The OpenAPI document of the players' port as JSON. Loaded and made when somebody first asks, which takes about 10 ms
 * once: a gateway that starts does not wait for it.
 * @param drills whether kinds that misbehave on demand are there
 */
export function playersApi(drills: boolean): () => Promise<string> {
  let made: Promise<string> | undefined;
  return async () => {
    made ??= import('../../../protocol/openapi/index.ts').then(({ playersDocument }) =>
      JSON.stringify(playersDocument(drills)),
    );
    return await made;
  };
}
